"""A client that may misbehave: a socket whose every byte and end is the attacker's choice, and a strict reader of answers."""

import asyncio
import errno
import re
import select
import socket
import struct

from server import Failure

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})")
IP_BIND_ADDRESS_NO_PORT = 24
PATIENCE = 20


class Malformed(Exception):
    """What the server sent is not HTTP."""


class Answer:
    def __init__(self, status, fields, body, trailers=()):
        self.status = status
        self.fields = fields
        self.body = body
        self.trailers = trailers

    def field(self, name):
        values = [value for key, value in self.fields if key.lower() == name]
        return b", ".join(values) if values else None


def take_answer(data, at=0, bodiless=False, ended=False):
    """The answer at `at` and where it ends, or None while it is incomplete. `ended`: nothing more will come."""
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        if data[at : at + 7] != b"HTTP/1."[: len(data) - at]:
            raise Malformed(f"no status line: {bytes(data[at : at + 80])!r}")
        return None
    first, *lines = bytes(data[at:end]).split(b"\r\n")
    status = STATUS_LINE.fullmatch(first)
    if not status:
        raise Malformed(f"status line {first[:80]!r}")
    fields = take_fields(lines)
    answer = Answer(int(status[1]), fields, b"")
    at = end + 4
    length, coding = answer.field(b"content-length"), answer.field(b"transfer-encoding")
    if length is not None and (coding is not None or not length.isdigit()):
        raise Malformed(f"content-length {length!r}, transfer-encoding {coding!r}")
    if bodiless or answer.status < 200 or answer.status in (204, 304):
        return answer, at
    if coding is not None:
        if coding.lower() != b"chunked":
            raise Malformed(f"transfer-encoding {coding!r}")
        return take_chunks(answer, data, at)
    if length is None:
        answer.body = bytes(data[at:])
        return (answer, len(data)) if ended else None
    if len(data) - at < int(length):
        return None
    answer.body = bytes(data[at : at + int(length)])
    return answer, at + int(length)


def take_fields(lines):
    fields = []
    for line in lines:
        field = FIELD.fullmatch(line)
        if not field:
            raise Malformed(f"field line {line[:80]!r}")
        fields.append((field[1], field[2]))
    return fields


def take_chunks(answer, data, at):
    parts = []
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = CHUNK_SIZE.fullmatch(bytes(data[at:end]))
        if not size:
            raise Malformed(f"chunk size {bytes(data[at:end])[:40]!r}")
        length, at = int(size[1], 16), end + 2
        if length == 0:
            break
        if len(data) < at + length + 2:
            return None
        if data[at + length : at + length + 2] != b"\r\n":
            raise Malformed("no line end behind a chunk")
        parts.append(bytes(data[at : at + length]))
        at += length + 2
    answer.body = b"".join(parts)
    if data[at : at + 2] == b"\r\n":
        return answer, at + 2
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return None
    answer.trailers = take_fields(bytes(data[at:end]).split(b"\r\n"))
    return answer, end + 4


class Peer:
    """A connection to the server, from one of many addresses, so that limits per address are not what is tried."""

    opened = 0

    def __init__(self, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.socket.bind((f"127.0.1.{1 + Peer.opened % 250}", 0))
        Peer.opened += 1
        self.received = bytearray()
        self.ended = False
        self.was_reset = False

    @classmethod
    async def connect(cls, port, receive_buffer=None):
        peer = cls(receive_buffer)
        try:
            await asyncio.wait_for(
                asyncio.get_running_loop().sock_connect(peer.socket, ("127.0.0.1", port)), PATIENCE
            )
        except OSError as error:
            peer.close()
            raise Failure(f"a connection was refused: {error or 'no answer'}") from None
        return peer

    async def send(self, data):
        """Waits until the kernel has taken all. False: the server has ended the connection."""
        try:
            await asyncio.get_running_loop().sock_sendall(self.socket, data)
            return True
        except (ConnectionResetError, BrokenPipeError):
            return False

    def send_now(self, data):
        """What the kernel takes at once, in bytes; -1: the server has ended the connection."""
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return -1

    async def receive(self, most=65536):
        """Some bytes; none at the end, of which kind ever."""
        try:
            data = await asyncio.get_running_loop().sock_recv(self.socket, most)
        except OSError as error:
            if error.errno not in (errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT):
                raise
            data = b""
            self.was_reset = True
        if not data:
            self.ended = True
        return data

    async def rest(self, most=1 << 20, seconds=PATIENCE):
        """All that comes until the end, or `most` bytes of it."""
        try:
            async with asyncio.timeout(seconds):
                while not self.ended and len(self.received) < most:
                    self.received += await self.receive()
        except TimeoutError:
            raise Failure(f"no end of the connection within {seconds} s; it sent {bytes(self.received[:80])!r}") from None
        return bytes(self.received)

    async def answer(self, method="GET", seconds=PATIENCE):
        """The next answer, whole; None at a clean end before it."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    taken = take_answer(self.received, 0, method == "HEAD", self.ended) if self.received else None
                    if taken:
                        del self.received[: taken[1]]
                        return taken[0]
                    if self.ended:
                        if self.received:
                            raise Failure(f"an answer was cut off: {bytes(self.received[:80])!r}")
                        return None
                    self.received += await self.receive()
        except TimeoutError:
            raise Failure(f"no answer within {seconds} s") from None
        except Malformed as what:
            raise Failure(f"the server sent no HTTP: {what}") from None

    def broken(self):
        """Whether the server has reset the connection; nothing is read for that."""
        poll = select.poll()
        poll.register(self.socket, 0)
        return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))

    def shut(self):
        """Ends the sending side."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server was first

    def reset(self):
        """Ends the connection by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.socket.close()


def request(method, target, *fields, body=None):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


async def many(count, work, at_once=64):
    """Runs work(0) to work(count - 1), so many at once; their results in order. The first failure ends all."""
    results = [None] * count
    numbers = iter(range(count))

    async def worker():
        for number in numbers:
            results[number] = await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(count, at_once)):
            group.create_task(worker())
    return results
