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

if __name__ == "__main__":
    for target, seeds, found in (("request", REQUEST, REQUEST_FOUND), ("chunked", CHUNKED, CHUNKED_FOUND),
                                 ("connection", CONNECTION, CONNECTION_FOUND)):
        write(target, seeds | {name: bytes.fromhex(octets) for name, octets in found.items()})
