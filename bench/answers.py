"""Whether a server answers right before it is measured: the 13 octets, one answer a request, wherever requests are cut."""

import socket
import struct

BODY = b"Hello, World!"
PIPELINED = 200
STREAMS = 100

# RFC 9113 section 6.
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
ACK = END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# RFC 7541 appendix A: ":status: 200" alone, and the first octet of a new size of the dynamic table (section 6.3).
STATUS_200 = 0x88
SIZE_UPDATE = 0x20


class Failure(Exception):
    """Something that makes the result worthless; its text is for the user."""


def receive(connection, name):
    try:
        data = connection.recv(65536)
    except TimeoutError:
        raise Failure(f"{name} did not answer within 5 s") from None
    if not data:
        raise Failure(f"{name} closed the connection before it had answered")
    return data


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), 5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_http1(connection, count, name):
    """Reads `count` answers and nothing more; returns the octets of the first."""
    received = b""
    first = None
    for _ in range(count):
        while b"\r\n\r\n" not in received:
            received += receive(connection, name)
        head, rest = received.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            key, _, value = line.partition(":")
            fields[key.lower()] = value.strip()
        if not lines[0].startswith("HTTP/1.1 200") or fields.get("content-length") != str(len(BODY)):
            raise Failure(f"{name} answered otherwise than with 200 and {len(BODY)} octets:\n{head.decode('latin-1')}")
        while len(rest) < len(BODY):
            rest += receive(connection, name)
        if rest[: len(BODY)] != BODY:
            raise Failure(f"{name}: the body is {rest[:len(BODY)]!r}, not {BODY!r}")
        first = first or head + b"\r\n\r\n" + BODY
        received = rest[len(BODY) :]
    if received:
        raise Failure(f"{name} sent more than {count} answers: {received!r}")
    return first


def check_http1(port, name):
    """One request, pipelined ones, and one cut inside its end; returns the octets of an answer."""
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    with connect(port) as connection:
        connection.sendall(request)
        answer = read_http1(connection, 1, name)
        connection.sendall(request * PIPELINED)
        read_http1(connection, PIPELINED, name)
        for cut in range(1, 5):
            connection.sendall(request + request[:-cut])
            read_http1(connection, 1, name)
            connection.sendall(request[-cut:])
            read_http1(connection, 1, name)
        # Nothing further may arrive: a request counted twice would show here.
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1):
            raise Failure(f"{name} sent an answer too many")
    return len(answer)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class Http2Client:
    """So much of HTTP/2 as these answers need: it takes one for right by its first field, `:status`, and by its body."""

    def __init__(self, port, name):
        self.name = name
        self.connection = connect(port)
        authority = f"127.0.0.1:{port}".encode()
        # :method GET, :scheme http, :path /, and :authority without an entry of the dynamic table.
        self.block = bytes([0x82, 0x86, 0x84, 0x01, len(authority)]) + authority
        self.received = b""
        self.next_stream = 1
        self.connection.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def request(self):
        stream = self.next_stream
        self.next_stream += 2
        return frame(HEADERS, END_STREAM | END_HEADERS, stream, self.block)

    def frame(self):
        while len(self.received) < 9 or len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
            self.received += receive(self.connection, self.name)
        length = int.from_bytes(self.received[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
        payload, self.received = self.received[9 : 9 + length], self.received[9 + length :]
        return kind, flags, stream & 0x7FFFFFFF, payload

    def expect(self, streams):
        """Reads one answer to each of the streams, in any order, and none else; returns the octets of their frames."""
        bodies = {stream: b"" for stream in streams}
        headed = set()
        octets = 0
        while bodies:
            kind, flags, stream, payload = self.frame()
            if kind == SETTINGS and not flags & ACK:
                self.connection.sendall(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.connection.sendall(frame(PING, ACK, 0, payload))
            elif kind in (RST_STREAM, GOAWAY):
                raise Failure(f"{self.name} sent frame {kind} on stream {stream}: {payload!r}")
            elif kind in (HEADERS, DATA, CONTINUATION):
                if stream not in bodies:
                    raise Failure(f"{self.name} sent an answer too many, on stream {stream}")
                octets += 9 + len(payload)
                self.take(kind, flags, stream, payload, headed, bodies)
        return octets

    def take(self, kind, flags, stream, payload, headed, bodies):
        if flags & PADDED and kind != CONTINUATION:
            payload = payload[1 : len(payload) - payload[0]]
        if kind == HEADERS:
            if flags & PRIORITY:
                payload = payload[5:]
            while payload and payload[0] & 0xE0 == SIZE_UPDATE:
                end = next(i for i, octet in enumerate(payload) if i > 0 and octet < 0x80) if payload[0] == 0x3F else 0
                payload = payload[end + 1 :]
            if stream in headed or not payload or payload[0] != STATUS_200:
                raise Failure(f"{self.name} answered otherwise than with one 200: {payload!r}")
            headed.add(stream)
        elif kind == DATA:
            bodies[stream] += payload
        if flags & END_STREAM and kind != CONTINUATION:
            if bodies[stream] != BODY:
                raise Failure(f"{self.name}: the body is {bodies[stream]!r}, not {BODY!r}")
            del bodies[stream]


def check_http2(port, name):
    """One request, many at once, and one cut at each place; returns the octets of an answer, head compressed."""
    with Http2Client(port, name) as client:
        client.connection.sendall(client.request())
        client.expect([1])
        for _ in range(2):
            first = client.next_stream
            client.connection.sendall(b"".join(client.request() for _ in range(STREAMS)))
            client.expect(range(first, client.next_stream, 2))
        for cut in range(1, len(client.block) + 9):
            whole, cut_one = client.next_stream, client.next_stream + 2
            requests = client.request() + client.request()
            client.connection.sendall(requests[:-cut])
            client.expect([whole])
            client.connection.sendall(requests[-cut:])
            octets = client.expect([cut_one])
    return octets
