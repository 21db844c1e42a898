"""Peers that are many, send without end, or go in the middle: memory stays bounded, and everything comes back."""

import asyncio
import time

from server import Failure
from wire import Peer, many, request

KiB, MiB = 1 << 10, 1 << 20
MOST_SENT = 64 * MiB


async def crowd(target):
    """Many requests at once whose answers are due later."""
    count = 1100 if target.short else 2200

    async def one(number):
        peer = await Peer.connect(target.server.port)
        await peer.send(request("GET", "/delay/700"))
        answer = await peer.answer()
        peer.close()
        if answer is None or answer.body != b"waited for 700 ms":
            raise Failure(f"a late answer was {answer and answer.body}")

    await many(count, one, count)
    return f"{count} requests waited at once, each was answered"


async def resets(target):
    """RST in the middle of requests and of answers, at random points."""
    count = 300 if target.short else 2000
    random = target.random
    upload = bytes(random.randrange(256) for _ in range(20000))
    chunked = request("POST", "/echo", "Transfer-Encoding: chunked")
    chunked += b"".join(b"%x\r\n%s\r\n" % (1000, upload[at : at + 1000]) for at in range(0, 20000, 1000)) + b"0\r\n\r\n"
    requests = [
        request("POST", "/echo", body=upload),
        chunked,
        request("POST", "/upload", body=upload),
        request("GET", "/headers", *(f"X-{n}: {n}" for n in range(80))),
        request("POST", "/upload", "Expect: 100-continue", "Content-Length: 10"),
        request("GET", "/a") * 50,
    ]
    answers = [
        (request("GET", "/bytes/3000000"), 3000000),
        (request("GET", "/chunked/20000"), 60000),
        (request("GET", "/bytes/3000") * 40, 120000),
        (request("POST", "/echo", body=upload * 10), 200000),
        (request("GET", "/upgrade", "Connection: upgrade", "Upgrade: echo") + upload, 20000),
        (request("GET", "/delay/200"), 1),
    ]

    async def one(number):
        peer = await Peer.connect(target.server.port)
        if number % 2:
            whole = random.choice(requests)
            await peer.send(whole[: random.randrange(len(whole))])
        else:
            whole, length = random.choice(answers)
            until = random.randrange(length)
            sending = asyncio.create_task(peer.send(whole))
            got = 0
            while got < until and not peer.ended and not whole.startswith(b"GET /delay"):
                got += len(await asyncio.wait_for(peer.receive(max(1, min(65536, until - got))), 20))
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        peer.reset()

    await many(count, one)
    return f"{count} connections reset, half in requests, half in answers"


async def churn(target):
    """Connections that come and go at once without a byte, or with a request that they do not wait for."""
    count = 1000 if target.short else 5000

    async def one(number):
        peer = await Peer.connect(target.server.port)
        if number % 4 == 1:
            peer.send_now(request("GET", "/a"))
        if number % 4 == 2:
            peer.send_now(request("GET", "/a", "Connection: close"))
        peer.reset() if number % 2 else peer.close()

    started = time.monotonic()
    await many(count, one, 500)
    return f"{count} connections in {time.monotonic() - started:.1f} s"


async def pipeline(target):
    """Requests one behind the other and nothing read: memory flat; then all answers, in order."""
    count, length = (2000, 12000) if target.short else (10000, 2400)
    server = target.server
    before = server.counters()
    peer = await Peer.connect(server.port, receive_buffer=4096)
    padding = "p" * length
    wire = b"".join(request("GET", f"/{number}/{padding}") for number in range(count))
    sent, served, same = 0, -1, 0
    most = {"arenaTotal": 0, "arenaUsed": 0, "memoryUsed": 0}
    deadline = time.monotonic() + 20
    while same < 5:
        while sent < len(wire) and (taken := peer.send_now(wire[sent : sent + 65536])) > 0:
            sent += taken
        now = await asyncio.to_thread(server.counters)
        for name in most:
            most[name] = max(most[name], now[name] - before[name])
        # Each sample is a request, too. Stuck: nothing else goes on.
        others = now["requests"] - now["connectionsAccepted"]
        same, served = (same + 1, served) if others == served else (0, others)
        if time.monotonic() > deadline:
            raise Failure("the pipeline was not stopped by its answers within 20 s")
    taken = now["bytesReceived"] - before["bytesReceived"]
    if taken >= len(wire):
        raise Failure("the server took the whole pipeline, although nothing was read")
    if most["arenaTotal"] + most["memoryUsed"] > 2 * MiB:
        raise Failure(f"a pipeline that is not read made the server grow by {most}")
    sending = asyncio.create_task(peer.send(wire[sent:]))
    for number in range(count):
        answer = await peer.answer()
        if answer is None or answer.status != 200 or answer.body != f"GET /{number}/{padding}".encode():
            raise Failure(f"answer {number} of the pipeline is {answer and answer.body[:40]!r}")
    await sending
    peer.close()
    return (
        f"{count} requests, of which the server took {taken // KiB} of {len(wire) // KiB} KiB; arena +{most['arenaUsed'] // KiB} KiB used, "
        f"C heap +{most['memoryUsed'] // KiB} KiB; then {count} answers in order"
    )


async def endless(target):
    """What has no end: each must be refused by its limit, with its status."""
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    chunked = request("POST", "/upload", "Transfer-Encoding: chunked")
    kinds = {
        "a chunk extension": (chunked + b"5;", b"e" * 4096, {400}),
        "chunk extensions": (chunked, b"1;e=" + b"e" * 100 + b"\r\nx\r\n", {400}),
        "digits of a chunk size": (chunked, b"0" * 4096, {400}),
        "a trailer": (chunked + b"0\r\nX: ", b"t" * 4096, {400, 431}),
        "trailers": (chunked + b"0\r\n", b"X: t\r\n" * 500, {400, 431}),
        "empty lines": (b"", b"\r\n" * 2048, {400}),
        "a field": (head + b"X: ", b"f" * 4096, {431}),
        "fields": (head, b"X: f\r\n" * 500, {431}),
        "a field name": (head, b"n" * 4096, {431}),
        "a target": (b"GET /", b"t" * 4096, {414}),
        "a method": (b"", b"M" * 4096, {400, 431, 501}),
        "whitespace": (head + b"X:", b" " * 4096, {431}),
        "an unread body": (request("GET", "/a", "Content-Length: 10000000000"), b"b" * 65536, {200}),
        "an unread chunked body": (
            request("GET", "/a", "Transfer-Encoding: chunked"),
            (b"400\r\n" + b"c" * 1024 + b"\r\n") * 60,
            {200},
        ),
        "a body nobody may send": (
            request("DELETE", "/a", "Transfer-Encoding: chunked"),
            (b"1\r\nc\r\n") * 1000,
            {405},
        ),
    }
    ends = []
    for name, (start, block, expected) in kinds.items():
        peer = await Peer.connect(target.server.port)
        await peer.send(start)
        ending = asyncio.create_task(peer.answer())
        sending = asyncio.create_task(send_on(peer, block))
        try:
            answer = await ending
            # What a polite peer would not do: it goes on. The connection must end all the same.
            sent = await asyncio.wait_for(sending, 20)
        finally:
            sending.cancel()
            peer.reset()
        if answer is None or answer.status not in expected:
            raise Failure(f"{name} without end: {answer and answer.status} instead of {expected}")
        ends.append(sent)
    return f"{len(kinds)} kinds refused with their status; ended after {min(ends) // KiB} to {max(ends) // KiB} KiB"


async def send_on(peer, block):
    """Sends until the server ends the connection; how many bytes."""
    sent = 0
    while sent < MOST_SENT:
        if not await peer.send(block):
            return sent
        sent += len(block)
        await asyncio.sleep(0)
    raise Failure(f"the server took {sent // MiB} MiB and did not end the connection")


async def upgrades(target):
    """Tunnels that are opened, used a little, and left in every way; requests that offer what is not taken."""
    count = 200 if target.short else 1000
    server = target.server
    offer = request("GET", "/upgrade", "Connection: upgrade", "Upgrade: echo")

    async def one(number):
        peer = await Peer.connect(server.port)
        if number % 5 == 0:
            await peer.send(request("GET", "/a", "Connection: upgrade", "Upgrade: echo, h2c, x") * 3)
            statuses = [(await peer.answer()).status for _ in range(3)]
            if statuses != [200] * 3:
                raise Failure(f"offers that nobody takes were answered with {statuses}")
            return peer
        await peer.send(offer + b"first")
        answer = await peer.answer()
        if answer is None or answer.status != 101:
            raise Failure(f"an upgrade was answered with {answer and answer.status}")
        while len(peer.received) < 5:
            peer.received += await asyncio.wait_for(peer.receive(), 20)
        if peer.received != b"first":
            raise Failure(f"a tunnel gave back {bytes(peer.received)!r}")
        return peer

    peers = await many(count, one)
    open_tunnels = server.counters()["tunnelsOpen"]
    for number, peer in enumerate(peers):
        if number % 3 == 0:
            peer.reset()
        elif number % 3 == 1:
            peer.shut()
            if number % 5 and await peer.rest() != b"first":
                raise Failure("a tunnel did not end behind what it gave back")
            peer.close()
        else:
            peer.close()
    if open_tunnels != count - (count + 4) // 5:
        raise Failure(f"{open_tunnels} tunnels are open")
    return f"{count} offers, {open_tunnels} tunnels open at once"
