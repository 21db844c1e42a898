"""Runs a command with a seccomp filter on the three system calls of io_uring: deny_io_uring.py refuse|kill COMMAND..."""

import ctypes
import os
import struct
import sys

PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
ALLOW, KILL, REFUSE_WITH_EPERM = 0x7FFF0000, 0x80000000, 0x00050001
FIRST, BEHIND = 425, 428  # io_uring_setup, io_uring_enter, io_uring_register
LOAD, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x35, 0x06

action = {"refuse": REFUSE_WITH_EPERM, "kill": KILL}[sys.argv[1]]
instructions = [
    (LOAD, 0, 0, 0),  # the number of the call
    (JUMP_IF_AT_LEAST, 0, 2, FIRST),
    (JUMP_IF_AT_LEAST, 1, 0, BEHIND),
    (RETURN, 0, 0, action),
    (RETURN, 0, 0, ALLOW),
]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in instructions))
program = struct.pack("HP", len(instructions), ctypes.addressof(code))

libc = ctypes.CDLL(None, use_errno=True)
for arguments in (
    (PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)),
    (PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.c_char_p(program), ctypes.c_ulong(0), ctypes.c_ulong(0)),
):
    if libc.prctl(*arguments) != 0:
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[2], sys.argv[2:])
