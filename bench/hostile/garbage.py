"""Peers that do not speak HTTP, or almost: an answer that is HTTP, or an end, and nothing else."""

import ssl

from server import Failure
from wire import Malformed, Peer, many, request, take_answer

VALID = [
    request("GET", "/"),
    request("GET", "/a?b=c", "Accept: */*", "User-Agent: x", "Cookie: a=b; c=d"),
    request("HEAD", "/bytes/10"),
    request("OPTIONS", "*"),
    request("GET", "/headers", "X-A: 1", "X-B:  2", "X-A: \xe4\xff", "X-Empty:"),
    request("GET", "/bytes/10") + request("GET", "/bytes/20"),
    request("GET", "/chunked/5"),
    request("GET", "/trailers", "TE: trailers", "Connection: TE"),
    request("GET", "/early-hints"),
    request("GET", "/status/204"),
    request("GET", "/status/304", 'If-None-Match: "x"'),
    request("POST", "/echo", body=b"hello world"),
    request("POST", "/upload", body=b"hello world") + request("GET", "/"),
    request("POST", "/echo", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
    request("PUT", "/upload", "Transfer-Encoding: chunked") + b"A\r\n0123456789\r\n0\r\nX-T: t\r\nX-U: u\r\n\r\n",
    request("POST", "/upload", "Expect: 100-continue", body=b"hello"),
    request("GET", "/upgrade", "Connection: Upgrade", "Upgrade: echo") + b"through the tunnel",
    request("DELETE", "/a") + request("GET", "/b", "Connection: close"),
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET /chunked/5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET http://example.com/a HTTP/1.1\r\nHost: example.com\r\n\r\n",
    b"CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n",
    b"\r\n" + request("GET", "/"),
]


def flip(random, data, other):
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def cut(random, data, other):
    return data[: random.randrange(len(data))]


def drop(random, data, other):
    at = random.randrange(len(data))
    return data[:at] + data[at + random.randrange(1, 9) :]


def repeat(random, data, other):
    at, length = random.randrange(len(data)), random.randrange(1, 40)
    return data[:at] + data[at : at + length] * random.choice([2, 2, 3, 10, 100]) + data[at + length :]


def splice(random, data, other):
    return data[: random.randrange(len(data))] + other[random.randrange(len(other)) :]


def insert(random, data, other):
    at = random.randrange(len(data))
    some = random.choice([b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b"\r\n ", random.randbytes(4)])
    return data[:at] + some + data[at:]


MUTATIONS = [flip, flip, cut, drop, repeat, splice, insert]


def mutated(random):
    data = random.choice(VALID)
    for _ in range(random.choice([1, 1, 1, 2, 3, 5])):
        data = random.choice(MUTATIONS)(random, data, random.choice(VALID)) or b"\r"
    return data


def understood(data, head_possible, at=0):
    """The statuses of all answers in `data`, 0 for a last one that is cut off; Malformed where that is not HTTP."""
    if at == len(data):
        return []
    failure = None
    for bodiless in (False, True) if head_possible else (False,):
        try:
            taken = take_answer(data, at, bodiless, ended=True)
            if taken is None:
                if not head_possible:
                    return [0]
                continue
            answer, behind = taken
            if answer.status == 101:
                return [101]
            return [answer.status, *understood(data, head_possible, behind)]
        except Malformed as malformed:
            failure = malformed
    if failure:
        raise failure
    return [0]


async def mutations(target):
    """Valid requests, mutated: each is answered by HTTP, or the connection ends."""
    count = 2000 if target.short else 20000
    wires = [mutated(target.random) for _ in range(count)]
    statuses = {}

    async def one(number):
        wire = wires[number]
        peer = await Peer.connect(target.server.port)
        try:
            await peer.send(wire)
            peer.shut()
            data = await peer.rest(most=256 * 1024)
            complete = peer.ended
            found = understood(data, b"HEAD" in wire)
        except (Failure, Malformed) as failure:
            raise Failure(f"request {number}, {wire!r}: {failure}") from None
        finally:
            peer.reset()
        if not complete and found and found[-1] == 0:
            found[-1] = 200  # the rest of a long answer was not asked for
        for status in found or ["closed"]:
            kind = {0: "cut"}.get(status, f"{status // 100}xx") if status != "closed" else status
            statuses[kind] = statuses.get(kind, 0) + 1

    await many(count, one)
    return f"{count} requests: " + ", ".join(f"{kind} {statuses[kind]}" for kind in sorted(statuses))


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


async def foreign(target):
    """Other protocols on the plain port: no 200, and an end without a reset."""
    sent = {
        "TLS": client_hello(),
        "HTTP/0.9": b"GET /\r\n",
        "HTTP/0.9 with a version": b"GET / HTTP/0.9\r\n\r\n",
        "HTTP/2, almost": b"PRI * HTTP/2.0\r\nHost: x\r\n\r\n",
        "HTTP/3.0": b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
        "SMTP": b"EHLO localhost\r\n",
        "RTSP": b"OPTIONS rtsp://localhost/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "PROXY 1": b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "PROXY 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\0\1\0\2",
        "zeros": bytes(1000),
        "noise": target.random.randbytes(1000),
    }
    ends = []
    for name, data in sent.items():
        peer = await Peer.connect(target.server.port)
        await peer.send(data)
        received = await peer.rest()
        peer.close()
        statuses = understood(received, False)
        if any(status < 400 for status in statuses) or peer.was_reset:
            raise Failure(f"{name} on the plain port: {statuses}, reset: {peer.was_reset}")
        ends.append(f"{name} {statuses[0] if statuses else 'closed'}")
    return ", ".join(ends)
