#!/usr/bin/env python3
"""Writes native/fuzz/seeds anew: what each seed says is here, the files are only its octets.

The choices before the bytes are those that the comments of the targets list; a seed that found a defect is added to
FOUND of its target as it was found, in hexadecimal.
"""

import pathlib
import shutil
import struct

SEEDS = pathlib.Path(__file__).parent / "seeds"
CRLF = b"\r\n"


def write(target, seeds):
    folder = SEEDS / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, octets in seeds.items():
        (folder / name).write_bytes(octets)


# ---- request: 8 choices, then the bytes ----

REQUEST_FOUND = {}


def request(text, section=0, cut=20, piece=7, fields=0, empty_lines=2, head=0, target=0):
    return bytes([section, cut, piece, fields, empty_lines, head, target, 0]) + text


def fields(*lines):
    return CRLF.join((b"POST /a?b=c HTTP/1.1", b"Host: h") + lines) + CRLF + CRLF


REQUEST = {
    "get": request(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    "get-1.0": request(b"GET /x?y=z HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    "pipelined": request(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"),
    "empty-lines": request(b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    "absolute": request(b"GET https://example.org:8443/a?b HTTP/1.1\r\nHost: other\r\n\r\n"),
    "absolute-ipv6": request(b"GET http://[::1]:80?q HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    "connect": request(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"),
    "asterisk": request(b"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n"),
    "version-1.9": request(b"GET / HTTP/1.9\r\nHost: h\r\n\r\n"),
    "version-2": request(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "sized": request(fields(b"Content-Length: 12") + b"hello, world"),
    "chunked": request(fields(b"Transfer-Encoding: Chunked") + b"0\r\n\r\n"),
    "coded": request(fields(b"Transfer-Encoding: gzip;q=1, chunked")),
    "both": request(fields(b"Content-Length: 3", b"Transfer-Encoding: chunked")),
    "lengths": request(fields(b"Content-Length: 3", b"Content-Length: 3")),
    "longest-length": request(fields(b"Content-Length: 9223372036854775807")),
    "options": request(fields(b"Connection: close, Upgrade", b"Upgrade: echo", b"TE: trailers, gzip;q=0.5",
                              b"Expect: 100-continue")),
    "folded": request(fields(b"X: a", b" b")),
    "bare-lf": request(b"GET / HTTP/1.1\nHost: h\n\n"),
    "bare-cr": request(fields(b"X: a\rb")),
    "blank-before-colon": request(fields(b"X : a")),
    "no-colon": request(fields(b"X")),
    "blanks": request(fields(b"X: \t a \t b \t ", b"Empty:", b"Blank:  \t")),
    "upper-half": request(fields(b"X: \xc3\xa4\xff\x80")),
    "nul": request(fields(b"X: a\x00b")),
    "many": request(fields(*[b"X-%d: %d" % (i, i) for i in range(20)]), fields=21),
    "too-many": request(fields(*[b"X-%d: %d" % (i, i) for i in range(20)]), fields=20),
    "long-lines": request(fields(b"X-" + b"n" * 70 + b": " + b"v" * 130)),
    "long-target": request(b"GET /" + b"t" * 200 + b" HTTP/1.1\r\nHost: h\r\n\r\n", target=200),
    "long-head": request(fields(b"X: " + b"v" * 80), head=6),
    "trailers": request(b"Digest: a\r\nX:  b \r\nContent-Length: 3\r\n\r\nGET", section=1),
    "trailers-none": request(b"\r\nGET / HTTP/1.1\r\n", section=1),
    "trailers-bad": request(b"bad\r\r\n", section=1),
    "trailers-full": request(b"A: 1\r\nB: 2\r\nC: 3\r\n\r\n", section=1, fields=2),
}

# ---- chunked: 4 choices, then the bytes ----

CHUNKED_FOUND = {}


def chunked(text, piece=3, room=2, extensions=0, from_end=0):
    return bytes([piece, room, extensions, from_end]) + text


CHUNKED = {
    "one": chunked(b"5\r\nhello\r\n0\r\n\r\n"),
    "several": chunked(b"1\r\na\r\n0A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\nX: y\r\n\r\n"),
    "empty": chunked(b"0\r\n\r\n"),
    "zeros": chunked(b"0000000000000001\r\na\r\n0000000000000000\r\n"),
    "extensions": chunked(b"1;a\r\nx\r\n1 ; a=\"b;c\"\t;d\r\ny\r\n0;last\r\n\r\n"),
    "extensions-full": chunked(b"1;" + b"a" * 63 + b"\r\nx\r\n0\r\n", extensions=255),
    "extensions-over": chunked(b"1;" + b"a" * 64 + b"\r\nx\r\n0\r\n", extensions=255),
    "bad-extension": chunked(b"1;a\nb\r\nx\r\n0\r\n"),
    "overflow": chunked(b"f0000000000000003\r\nabc"),
    "largest": chunked(b"7fffffffffffffff\r\nabc"),
    "total-overflow": chunked(b"1\r\na\r\n3\r\nabc\r\n", from_end=3),
    "seventeen-digits": chunked(b"00000000000000001\r\na"),
    "no-size": chunked(b"\r\na\r\n"),
    "blank-size": chunked(b" 1\r\na\r\n"),
    "prefix": chunked(b"0x1\r\na\r\n"),
    "bare-lf": chunked(b"1\na\r\n"),
    "no-cr": chunked(b"1\r\nab\r\n0\r\n"),
    "no-lf": chunked(b"1\r\na\rb"),
    "cut": chunked(b"5\r\nhel"),
}

# ---- connection: settings, then steps ----

CONNECTION_FOUND = {}

TEXTS = ["get", "two", "post", "post-3000", "chunked", "last", "trailers", "size-1000", "head", "get-1.0",
         "get-1.0-kept", "upgrade", "post-upgrade", "connect", "expect", "close", "half-head", "bytes"]
SIXTEEN = struct.Struct("<H")


def settings(hostile=0, late=0, hold=0, read_limit=0, pages=3, head=4000, fields=19, empty=2, connect=0, pipeline=3,
             receive=8000, send=8000, discard=4000, linger=4000, safe=0, half_close=0, keep_alive=0, date=0):
    return (bytes([hostile, late, hold, read_limit, pages, 0, 0]) + SIXTEEN.pack(head) +
            bytes([fields, empty, connect, pipeline]) +
            b"".join(SIXTEEN.pack(value) for value in (receive, send, discard, linger)) +
            bytes([safe, half_close, keep_alive, date]))


def text(name, peer=0, poll=1):
    return bytes([0, peer, TEXTS.index(name), poll])


def raw(octets, peer=0, poll=1):
    return bytes([1, peer, len(octets)]) + octets + bytes([poll])


def peer_step(what, *operands, peer=0):
    return bytes([what, peer, *operands, 1])


def handler(back, what, *operands):
    return bytes([7, back, what, *operands, 1])


def answer(way, status=0, length=40, close=0, last=(0, 0), back=0):
    return handler(back, 0, way, status, *SIXTEEN.pack(length), 0, close, *last)


CONNECT = bytes([0, 0, 1])
WHOLE, SIZED, UNKNOWN, KEPT, TUNNEL = range(5)
READ = peer_step(3, 255, 32)
FINISH, RESET = peer_step(5), peer_step(6)
NO_ROOM = peer_step(4, 0, 0)
GO_ON = handler(0, 2, *SIXTEEN.pack(3000))
ADVANCE = bytes([12, 0, 255, 1])
MEMORY = bytes([12, 1, 3, 1])
POLL = bytes([15])

CONNECTION = {
    "whole": settings() + CONNECT + text("get") + answer(WHOLE) + READ + FINISH,
    "two": settings() + CONNECT + text("two") + answer(WHOLE) + answer(WHOLE, back=1) + READ,
    "sized": settings(late=1) + CONNECT + text("post") + answer(SIZED, length=5000, last=()) + GO_ON + GO_ON + READ,
    "unknown": settings() + CONNECT + text("get") + answer(UNKNOWN, length=5000, last=(2,)) + GO_ON + GO_ON + READ,
    "unknown-1.0": settings() + CONNECT + text("get-1.0") + answer(UNKNOWN, length=3000, last=(0,)) + GO_ON + READ,
    "kept": settings() + CONNECT + text("get") + answer(KEPT, last=(1, 1)) + READ,
    "head": settings() + CONNECT + text("head") + answer(SIZED, length=50, last=()) + GO_ON + READ,
    "body": settings(hold=1, receive=0) + CONNECT + text("post-3000") + peer_step(2, 255, 11) + handler(0, 3) * 3 +
            answer(WHOLE),
    "chunked": settings() + CONNECT + text("chunked") + text("last") + answer(WHOLE) + text("chunked") +
               text("trailers") + answer(WHOLE) + READ,
    "expect": settings() + CONNECT + text("expect") + handler(0, 5) + handler(0, 4) + raw(b"hello") + answer(WHOLE),
    "upgrade": settings() + CONNECT + text("upgrade") + bytes([7, 0, 0, TUNNEL, 100, 0, 1]) + text("bytes") + GO_ON +
               READ + FINISH,
    "connect": settings() + CONNECT + text("connect") + bytes([7, 0, 0, TUNNEL, 100, 0, 1]) + GO_ON + RESET,
    "reset-within": settings() + CONNECT + text("get") + answer(SIZED, length=5000, last=()) + handler(0, 6) + READ,
    "let-go-within": settings() + CONNECT + text("get") + answer(UNKNOWN, length=5000, last=(0,)) + handler(0, 7),
    "slow-reader": settings() + CONNECT + NO_ROOM + text("two") + answer(WHOLE, length=5000) + ADVANCE + READ,
    "cut-head": settings() + CONNECT + text("half-head") + ADVANCE + READ,
    "cut-body": settings() + CONNECT + text("post-3000") + FINISH + answer(WHOLE),
    "dribble": settings(late=1) + CONNECT + b"".join(raw(bytes([c])) for c in b"GET / HTTP/1.1\r\nHost: h\r\n\r\n") +
               answer(WHOLE) + READ,
    "bad": settings() + CONNECT + text("get") + raw(b"GET  / HTTP/1.1\r\n") + answer(WHOLE) + READ,
    "memory": settings(pages=0) + CONNECT + text("get") + MEMORY + text("post-3000") + peer_step(2, 255, 15) +
              answer(WHOLE, length=5000) + READ + MEMORY + POLL,
    "close": settings() + CONNECT + text("close") + text("get") + answer(WHOLE, close=7) + READ,
    "unlisten": settings() + CONNECT + text("get") + bytes([14, 7, 0, 1]) + answer(WHOLE) + READ,
    "safe": settings(safe=1) + CONNECT + text("post") + text("get") + answer(WHOLE) + answer(WHOLE) + READ,
    "hostile": settings(hostile=3) + bytes((i * 73 + i // 7) % 256 for i in range(400)),
}

# ---- hpack: what is done first, the length, the block ----

HPACK_FOUND = {}
KEEP, ALLOW, ENCODER, FIELDS, SIZE = range(5)
TABLES = [0, 31, 32, 100, 200, 1000, 4095, 4096, 5000, 65535]


def block(hexadecimal, what=KEEP, operand=0):
    octets = bytes.fromhex(hexadecimal)
    return bytes([what | operand << 3]) + SIXTEEN.pack(len(octets)) + octets


def table(what, most):
    return block("", what, TABLES.index(most))


CUSTOM = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"

HPACK = {
    "literals": block(CUSTOM) + block("040c 2f73 616d 706c 652f 7061 7468") +
                block("1008 7061 7373 776f 7264 0673 6563 7265 74") + block("82"),
    "requests": block("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d") +
                block("8286 84be 5808 6e6f 2d63 6163 6865") +
                block("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"),
    "huffman": block("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff") + block("8286 84be 5886 a8eb 1064 9cbf") +
               block("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"),
    "responses": table(ALLOW, 200) + block("3fa9 01") +
                 block("4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a"
                       "3133 3a32 3120 474d 54") + block("4803 3330 37c1 c0") + block("88c1 be"),
    "resized": block(CUSTOM * 3) + table(ALLOW, 100) + block("203f45 be") + block("be"),
    "not-resized": block(CUSTOM) + table(ALLOW, 0) + block("be"),
    "emptied": block(CUSTOM) + block("203fe11f") + block(CUSTOM + "be"),
    "encoder": block(CUSTOM) + table(ENCODER, 32) + block(CUSTOM) + table(ENCODER, 4096) + block("bebe"),
    "encoder-twice": block(CUSTOM) * 3 + table(ENCODER, 32) + table(ENCODER, 4096) + block(CUSTOM),
    "too-many": block(CUSTOM * 3, FIELDS, 1),
    "too-large": block(CUSTOM * 3, SIZE, 2),
    "malformed": block("4001 4101 62") + block("be"),
    "bad-index": block("be"),
    "bad-integer": block("ff80 8080 8001"),
    "bad-huffman": block("0084 ffff ffff 00"),
}

# ---- h2_connection: settings, then steps ----

H2_CONNECTION_FOUND = {}


def size(number):
    """Two octets for a size; of one beyond 255, the first eight bits count."""
    bits = max(number.bit_length(), 8)
    return bytes([bits, number >> (bits - 8)])


def h2_settings(hostile=0, late=0, hold=0, read_limit=0, pages=3, short=(0,), turn=(0,), fields=50, extended=1,
                receive=20000, send=20000, discard=10000, streams=39, small_window=0, stream_window=65536,
                connection_window=(0,), adaptive=0, frame=0, field_list=16384, table=0, no_half_close=0, date=0, ping=0,
                frugal=(0,)):
    return (bytes([hostile, late, hold, read_limit, pages, *short, *turn, fields, extended]) + size(receive) +
            size(send) + size(discard) + bytes([streams, small_window]) + size(stream_window) +
            bytes([*connection_window, adaptive, frame]) + size(field_list) +
            bytes([table, no_half_close, date, ping, *frugal]))


def h2_step(what, *operands, flush=0, poll=1):
    return bytes([what]) + b"".join(o if isinstance(o, bytes) else bytes([o]) for o in operands) + bytes([flush, poll])


def h2_connect(window=None):
    return bytes([0]) + (bytes([0]) if window is None else bytes([1]) + size(window)) + bytes([1])


GET, POST, PUT, HEAD, TUNNELLED = 0, 1, 5, 3, 4


def h2_open(method=GET, priority=0, padding=None, pieces=None, end=0, length=None, expect=0, extended=0, urgency=0,
            fields=None, skip=None):
    choices = [method, 7 if priority else 0]
    choices += [0] if padding is None else [3, padding]
    choices += [0] if pieces is None else [3, pieces - 1]
    if method in (POST, PUT):
        choices += [3 if end else 0]
    if method in (POST, PUT) and not end:
        choices += [0] if length is None else [2, *size(length)]
        choices += [5 if expect else 0]
    if method == TUNNELLED:
        choices += [extended]
    choices += [urgency]
    choices += [0] if fields is None else [15, fields]
    choices += [0] if skip is None else [15, skip]
    return h2_step(0, *choices)


def h2_data(length, back=0, padding=None, end=0):
    return h2_step(1, back, size(length), *([0] if padding is None else [5, padding]), 3 if end else 0)


def h2_end(back=0, trailers=0):
    return h2_step(2, back, *([1, 0, 0, 0] if trailers else [0]))


def h2_grant(more, back=None):
    return h2_step(4, size(more)) if back is None else h2_step(3, back, size(more))


def h2_change(window, frame=0, table=0):
    return h2_step(5, size(window), frame, table)


def h2_handler(what, *operands, back=0):
    return bytes([20, back, what]) + b"".join(o if isinstance(o, bytes) else bytes([o]) for o in operands) + bytes([1])


def h2_answer(way, status=0, length=40, last=(0,), back=0, first=0):
    begun = size(length)
    if way == TUNNEL:
        return h2_handler(0, TUNNEL, begun, back=back)
    choices = [status, 0, 0]
    if way in (SIZED, UNKNOWN):
        choices += ([] if way == SIZED else [0]) + [first]
    else:
        choices += last
    return h2_handler(0, way, begun, *choices, back=back)


H2_GO_ON = h2_handler(0, 0, 0)
H2_READ = h2_step(8, size(65536))
H2_SETTLE = bytes([30, 0])
H2_FINISH, H2_GONE = h2_step(12, 1), h2_step(12, 0, 1)
H2_GREETED = h2_connect() + H2_SETTLE
H2_HELD = h2_settings(hold=1)

H2_CONNECTION = {
    "get": h2_settings() + H2_GREETED + h2_open() + h2_answer(WHOLE) + H2_SETTLE,
    "several": h2_settings() + H2_GREETED + h2_open() * 5 + h2_answer(WHOLE, back=3) +
               b"".join(h2_answer(SIZED, length=30000, back=back) for back in (0, 2, 4)) + H2_GO_ON * 3 + H2_SETTLE,
    "early": h2_settings(stream_window=1000) + h2_connect() + h2_open(POST) + h2_data(20000) + H2_SETTLE +
             h2_data(1000, end=1) + h2_answer(WHOLE),
    "body": h2_settings() + H2_GREETED + h2_open(POST, length=3000) + h2_data(2000, padding=200) +
            h2_data(3000, end=1) + h2_answer(WHOLE) + H2_SETTLE,
    "held": H2_HELD + H2_GREETED + h2_open(POST) + h2_data(16000) * 5 + h2_handler(3) * 3 + H2_SETTLE + h2_end() +
            h2_answer(WHOLE),
    "trailers": h2_settings() + H2_GREETED + h2_open(POST) + h2_data(100) + h2_end(trailers=1) +
                h2_handler(0, UNKNOWN, size(5000), 0, 0, 0, 2, 0) + H2_GO_ON + H2_SETTLE,
    "expect": h2_settings() + H2_GREETED + h2_open(POST, expect=1) + h2_handler(5) + h2_handler(4) + H2_SETTLE +
              h2_end() + h2_answer(WHOLE),
    "tunnel": h2_settings() + H2_GREETED + h2_open(TUNNELLED) + h2_data(100) + h2_answer(TUNNEL, length=3000) +
              H2_GO_ON + h2_data(5000) + H2_SETTLE + h2_end() + H2_SETTLE,
    "extended": h2_settings() + H2_GREETED + h2_open(TUNNELLED, extended=1) + h2_answer(TUNNEL, length=3000) +
                H2_GO_ON + H2_SETTLE,
    "no-window": h2_settings() + h2_connect(0) + H2_SETTLE + h2_open() + h2_answer(SIZED, length=5000, first=1) +
                 H2_GO_ON + H2_SETTLE + h2_grant(1000, 0) + H2_SETTLE + h2_change(4000) + H2_SETTLE,
    "connection-window": h2_settings(send=60000) + H2_GREETED + h2_open() * 3 +
                         b"".join(h2_answer(WHOLE, length=50000, back=back) for back in range(3)) + H2_SETTLE +
                         h2_change(0) + h2_grant(40000) + H2_SETTLE + h2_change(100000) + h2_grant(90000) + H2_SETTLE,
    "adaptive": h2_settings(adaptive=3) + H2_GREETED + h2_open(POST) + h2_data(30000) * 2 + H2_SETTLE +
                h2_data(30000) * 3 + H2_SETTLE + h2_end() + h2_answer(WHOLE),
    "pieces": h2_settings() + H2_GREETED + h2_open(PUT, priority=1, padding=9, pieces=4, end=1, fields=40) +
              h2_answer(KEPT) + H2_SETTLE,
    "too-large": h2_settings(field_list=300) + H2_GREETED + h2_open(fields=59) + h2_open(POST, fields=59) + H2_SETTLE,
    "refused": h2_settings(streams=0) + H2_GREETED + h2_open() + h2_step(6, 0, 8) + h2_open() + H2_SETTLE,
    "priorities": h2_settings() + H2_GREETED + h2_open(urgency=2) + h2_open(urgency=3) + h2_open(urgency=5) +
                  h2_step(7, 3, 0, 0, 4, 0) +
                  b"".join(h2_answer(WHOLE, length=40000, back=back) for back in range(3)) + H2_SETTLE,
    "tables": h2_settings(table=1) + H2_GREETED + h2_open(fields=20) + h2_change(60000, 1, 1) + h2_open(fields=20) +
              h2_answer(WHOLE) + h2_change(60000, 3, 3) + h2_answer(WHOLE, back=1) + H2_SETTLE,
    "control": h2_settings() + H2_GREETED + h2_open() + h2_step(7, 0, 0) + h2_step(7, 0, 1, 5, 3) +
               h2_step(7, 0, 2) + h2_answer(WHOLE) + h2_step(7, 0, 4) + H2_SETTLE,
    "resets": h2_settings() + H2_GREETED + h2_open(POST) * 3 + h2_step(6, 0, 8) + h2_answer(WHOLE, back=1) +
              h2_handler(6, 5, back=2) + h2_handler(7, back=1) + H2_SETTLE,
    "close": h2_settings() + H2_GREETED + h2_open(POST) + bytes([29, 0, 0, 1]) + h2_open() + H2_SETTLE + h2_end() +
             h2_answer(WHOLE, back=1) + h2_answer(WHOLE) + H2_SETTLE,
    "slow-reader": h2_settings() + H2_GREETED + h2_step(9, size(0)) + h2_open() + h2_answer(WHOLE, length=50000) +
                   bytes([27, 0, 255, 1]) + H2_READ,
    "cut": h2_settings() + H2_GREETED + bytes([0, GET, 0, 0, 0, 0, 0, 0, 3, 1]) + bytes([10, 5, 1]) * 4 +
           h2_answer(WHOLE) + H2_SETTLE,
    "finish": h2_settings() + H2_GREETED + h2_open(POST) + h2_open() + H2_FINISH + h2_answer(WHOLE) + H2_READ,
    "gone": h2_settings() + H2_GREETED + h2_open(POST) + H2_GONE,
    "past-windows": h2_settings(small_window=2, stream_window=1000) + H2_GREETED + h2_open(POST) +
                    h2_step(11, 1, 0, 0),
    "garbage": h2_settings() + H2_GREETED + h2_open() + h2_step(11, 0, 1, 4, 0, 0, 20, *range(0x70, 0x84)),
    "memory": h2_settings(pages=0) + H2_GREETED + h2_open(POST) + h2_data(16000) + bytes([27, 1, 3, 1]) +
              h2_answer(WHOLE, length=50000) + H2_READ + bytes([27, 1, 1]),
    "hostile": h2_settings(hostile=7) + bytes((i * 73 + i // 7) % 256 for i in range(600)),
}

if __name__ == "__main__":
    for target, seeds, found in (("request", REQUEST, REQUEST_FOUND), ("chunked", CHUNKED, CHUNKED_FOUND),
                                 ("connection", CONNECTION, CONNECTION_FOUND), ("hpack", HPACK, HPACK_FOUND),
                                 ("h2_connection", H2_CONNECTION, H2_CONNECTION_FOUND)):
        write(target, seeds | {name: bytes.fromhex(octets) for name, octets in found.items()})
