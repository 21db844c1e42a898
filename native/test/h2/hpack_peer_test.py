#!/usr/bin/env python3
"""HPACK against another implementation, Python's `hpack`, both ways: hpack_peer_test.py FILTER [SEED].

FILTER is the program of hpack_filter.c. What one side encodes, the other decodes to the same fields, over many blocks of
random field lists and with tables whose size changes. Without `hpack` it says so and exits with 77: skipped.
"""

import random
import subprocess
import sys

try:
    import hpack
except ImportError:
    print("skipped: Python's hpack is missing (on Debian: python3-hpack)")
    sys.exit(77)

RUNS, BLOCKS = 20, 50
SIZES = [0, 1, 31, 32, 64, 100, 500, 1000, 4095, 4096]
NAMES = [b"accept", b"accept-encoding", b"authorization", b"cache-control", b"content-length", b"content-type", b"cookie",
         b"date", b"etag", b"location", b"server", b"set-cookie", b"te", b"user-agent", b"vary", b"x-id", b"x", b"a-name-of-ours"]
VALUES = [b"", b"0", b"text/html; charset=utf-8", b"gzip, deflate, br", b"no-cache", b"Mon, 23 Nov 2026 02:28:21 GMT",
          b"https://example.org/a/b?c=d", bytes(range(0xa1, 0x100)), b"!#$%&'*+-.^_`|~(){}[]<>@,;:\\\"/?=", b"x" * 300]


class Filter:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command, operand):
        self.process.stdin.write("%s %s\n" % (command, operand))
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def decode(self, block):
        answer = self.ask("decode", block.hex())
        assert not answer.startswith("error"), "%s: %s" % (block.hex(), answer)
        return [tuple(bytes.fromhex(part) for part in field.split(":")) for field in answer.split()]

    def encode(self, fields):
        return bytes.fromhex(self.ask("encode", " ".join("%s:%s" % (n.hex(), v.hex()) for n, v in fields)))

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def some_value(choice):
    if choice.random() < 0.6:
        return choice.choice(VALUES)
    octets = [choice.choice(range(0x21, 0x7f)) for _ in range(choice.choice([1, 2, 3, 10, 40, 126, 127, 128, 400, 5000]))]
    return bytes(octets)


def some_fields(choice):
    names = NAMES + [b"n" * choice.choice([1, 126, 127, 200])]
    return [(choice.choice(names), some_value(choice)) for _ in range(choice.randrange(12))]


def theirs_to_ours(program, choice):
    """Their encoder, whose table changes within what is allowed, and our decoder."""
    ours, encoder, allowed = Filter(program), hpack.Encoder(), 4096
    for _ in range(BLOCKS):
        if choice.random() < 0.2:
            allowed = choice.choice(SIZES)
            assert ours.ask("allow", allowed) == "done"
            encoder.header_table_size = allowed
        elif choice.random() < 0.1:
            encoder.header_table_size = choice.choice([size for size in SIZES if size <= allowed])
        fields = [(b":method", b"GET"), (b":path", b"/" + choice.choice([b"", b"index.html", b"a"]))]
        fields += some_fields(choice)
        secret = choice.random() < 0.2
        block = encoder.encode([hpack.NeverIndexedHeaderTuple(*field) if secret else field for field in fields],
                               huffman=choice.random() < 0.7)
        assert ours.decode(block) == fields, block.hex()
    ours.end()


def ours_to_theirs(program, choice):
    """Our encoder under their limit, and their decoder."""
    ours, decoder = Filter(program), hpack.Decoder(max_header_list_size=1 << 20)
    for _ in range(BLOCKS):
        for _ in range(choice.choice([0, 0, 0, 1, 2])):
            size = choice.choice(SIZES + [65535])
            assert ours.ask("limit", size) == "done"
            decoder.max_allowed_table_size = size
        fields = [(b":status", b"%d" % choice.choice([200, 204, 206, 304, 400, 404, 500, 100, 418, 999]))]
        fields += some_fields(choice)
        block = ours.encode(fields)
        decoded = [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]
        assert decoded == fields, block.hex()
    ours.end()


def main():
    program = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for run in range(RUNS):
        for test in (theirs_to_ours, ours_to_theirs):
            choice = random.Random(seed * 1000 + run)
            try:
                test(program, choice)
            except Exception:
                print("%s, seed %d, run %d" % (test.__name__, seed, run), file=sys.stderr)
                raise
    print("%d blocks passed each way" % (RUNS * BLOCKS))


main()
