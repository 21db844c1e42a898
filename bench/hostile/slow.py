"""Peers that take their time, or all of it: each must cost little and end by a timeout, and nobody else must notice."""

import asyncio
import multiprocessing
import os
import socket
import statistics
import time

from floods import crowd
from server import IDLE_TIME, Failure
from wire import Peer, many, request

KiB, MiB = 1 << 10, 1 << 20


async def dribble(target):
    """A head, one byte per 100 ms, from many at once, beside a client that behaves: its latency; then 408 for each."""
    count = 100 if target.short else 500
    seconds = 1.0 if target.short else 4.0
    timeout = target.timeouts["head"]
    alone = await asyncio.to_thread(latencies, target.server.port, seconds)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    dribblers = context.Process(target=dribble_apart, args=(theirs, target.server.port, count), daemon=True)
    dribblers.start()
    theirs.close()
    try:
        await receive_from(ours, 30)
        beside = await asyncio.to_thread(latencies, target.server.port, min(seconds, timeout - 1.5))
        ends = await receive_from(ours, timeout + 30)
    finally:
        dribblers.kill()
        dribblers.join()
    alone += await asyncio.to_thread(latencies, target.server.port, seconds)
    if isinstance(ends, str):
        raise Failure(ends)
    late = max(ends)
    if min(ends) < timeout - 0.2:
        raise Failure(f"a head was given up after {min(ends):.2f} s, before its {timeout} s")
    (a50, a99), (b50, b99) = quantiles(alone), quantiles(beside)
    return (
        f"{count} dribblers, each ended with 408 after {min(ends):.1f} to {late:.1f} s; "
        f"median {b50:.0f} µs, alone {a50:.0f} µs ({b50 / a50:.2f}); p99 {b99:.0f} µs, alone {a99:.0f} µs ({b99 / a99:.2f})"
    )


async def receive_from(pipe, seconds):
    if not await asyncio.to_thread(pipe.poll, seconds):
        raise Failure(f"the dribblers said nothing for {seconds} s")
    try:
        return pipe.recv()
    except EOFError:
        raise Failure("the dribblers failed") from None


def dribble_apart(pipe, port, count):
    os.nice(5)  # the latency is the server's, not that of two clients on one core
    try:
        asyncio.run(dribble_heads(pipe, port, count))
    except (Failure, OSError) as failure:
        pipe.send(str(failure))


async def dribble_heads(pipe, port, count):
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 60000

    async def one(number):
        await asyncio.sleep(number % 20 * 0.005)
        peer = await Peer.connect(port)
        started = time.monotonic()
        ending = asyncio.create_task(peer.answer(seconds=600))
        sent = 0
        while not ending.done():
            peer.send_now(head[sent : sent + 1])
            sent += 1
            if number == 0 and sent == 10:
                pipe.send("begun")
            await asyncio.wait([ending], timeout=0.1)
        took = time.monotonic() - started
        answer = ending.result()
        if answer is None or answer.status != 408:
            raise Failure(f"a dribbled head ended with {answer and answer.status} after {took:.1f} s, not with 408")
        await peer.rest()
        peer.close()
        return took

    pipe.send(await many(count, one, count))


def latencies(port, seconds):
    """Times of requests one after the other over one connection, in µs."""
    times = []
    wire = request("GET", "/normal")
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.perf_counter_ns()
            connection.sendall(wire)
            answer = connection.recv(65536)
            while answer and not answer.endswith(b"\r\n\r\nGET /normal"):
                answer += connection.recv(65536)
            times.append((time.perf_counter_ns() - started) / 1000)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise Failure(f"the client that behaves got {answer[:80]!r}")
    return times


def quantiles(times):
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


async def idle(target):
    """Connections that say nothing, before a request or after one: at most 512 bytes each, and no object of Java."""
    count = 1000 if target.short else 5000
    silent = await cost(target, count, asked=False, tables=target.tables)
    await crowd(target)  # which fills what is kept for requests: from here on all must be back exactly
    again = await cost(target, count, asked=False)
    after = await cost(target, count, asked=True)
    text = (
        f"{count} connections: {again[0]:.0f} bytes each in C ({silent[0]:.0f} with tables that stay), heap {silent[1]:.0f}, "
        f"RSS {silent[2]:.0f}; after a request {after[0]:.0f} at first"
    )
    return text if target.short else f"{text}, {after[3]:.0f} when it is a while ago"


async def cost(target, count, asked, tables=0):
    """Bytes of an idle connection in C, in the heap and of RSS, and in C after a while (of those that asked)."""
    server = target.server
    before = await asyncio.to_thread(server.at_rest)
    heap_before, resident = await asyncio.to_thread(server.heap_histogram), server.resident()

    async def one(number):
        peer = await Peer.connect(server.port)
        if asked:
            await peer.send(request("GET", "/"))
            await peer.answer()
        return peer

    def c_bytes():
        now = server.gauges()
        return (now["memoryUsed"] - before["memoryUsed"] + now["arenaUsed"] - before["arenaUsed"]) / count

    peers = await many(count, one)
    await asyncio.to_thread(
        server.wait_for, lambda: server.counters()["connectionsOpen"] == count + 1, "all connections open", 20
    )
    heap, resident = await asyncio.to_thread(server.heap_histogram), server.resident() - resident
    first = later = await asyncio.to_thread(c_bytes)
    objects = {name: instances - heap_before.get(name, (0, 0))[0] for name, (instances, _) in heap.items()}
    held = {name: more for name, more in objects.items() if more >= count // 10}
    if held:
        raise Failure(f"Java objects for {count} idle connections: {held}")
    java_bytes = (sum(size for _, size in heap.values()) - sum(size for _, size in heap_before.values())) / count
    if asked and not target.short:
        # Within the time for a first byte the server has looked at each connection once.
        await asyncio.to_thread(
            server.wait_for, lambda: server.gauges()["arenaUsed"] <= before["arenaUsed"], "no block of an idle one", 45
        )
        later = c_bytes()
    if first + java_bytes > 512:
        raise Failure(f"an idle connection costs {first:.0f} bytes in C and {java_bytes:.0f} in Java, over 512")
    for peer in peers:
        peer.close()
    await asyncio.to_thread(server.settle, {**before, "memoryUsed": before["memoryUsed"] + tables}, 20)
    return first, java_bytes, resident / count, later


async def asleep(target):
    """Connections idle, and half-closed with an exchange under way: the loop's thread must not run at all."""
    count = 200 if target.short else 1000
    seconds = 3 if target.short else 10
    delay = (seconds + 5) * 1000
    server = target.server

    async def one(number):
        peer = await Peer.connect(server.port)
        if number % 2:
            # The answer is due later; until then a peer that ended its side stays connected.
            await peer.send(request("GET", f"/delay/{delay}"))
            peer.shut()
        else:
            await peer.send(request("GET", "/"))
            await peer.answer()
        return peer

    peers = await many(count, one)
    await asyncio.to_thread(
        server.wait_for, lambda: server.counters()["exchangesOpen"] == count // 2 + 1, "all exchanges open", 20
    )
    await asyncio.to_thread(
        server.wait_for, lambda: server.counters()["connectionsOpen"] == count + 1, "all connections open", 20
    )
    spent, turns = server.loop_time(), server.counters()["turns"]
    await asyncio.sleep(seconds)  # what is measured: CPU time over this time
    spent, turns = server.loop_time() - spent, server.counters()["turns"] - turns
    for number, peer in enumerate(peers):
        if number % 2 and (await peer.answer()).body != b"waited for %d ms" % delay:
            raise Failure("a peer that ended its side did not get its answer")
        peer.close()
    if spent > IDLE_TIME:
        raise Failure(f"the idle loop took {spent:.2f} ms of CPU time in {seconds} s, {turns} turns")
    return f"{count} connections, half of them half-closed: {spent:.2f} ms of CPU time in {seconds} s, {turns} turns"


async def slow_readers(target):
    """Huge answers that nobody reads, or little by little; uploads echoed to nobody: memory bounded, then a timeout."""
    count = 20 if target.short else 50
    server, timeout = target.server, target.timeouts["write"]
    before = server.counters()

    async def ask(number):
        peer = await Peer.connect(server.port, receive_buffer=4096 if number % 2 else None)
        await peer.send(request("GET", "/bytes/1073741824"))
        return peer

    async def upload(number):
        peer = await Peer.connect(server.port, receive_buffer=4096)
        await peer.send(request("POST", "/echo", "Content-Length: 1073741824"))
        return peer

    readers, stalled, echoed = await many(count, ask), await many(count, ask), await many(count, upload)
    block = b"e" * 65536
    most = {"arenaUsed": 0, "memoryUsed": 0}
    read = taken = 0
    end = time.monotonic() + timeout + 20
    left = set(stalled + echoed)
    while left:
        for peer in readers:
            for _ in range(8):
                read += len(await asyncio.wait_for(peer.receive(), 20)) if not peer.ended else 0
        for peer in echoed:
            taken += max(0, peer.send_now(block))
        left = {peer for peer in left if not peer.broken()}
        now = await asyncio.to_thread(server.counters)
        for name in most:
            most[name] = max(most[name], now[name] - before[name])
        if time.monotonic() > end:
            raise Failure(f"{len(left)} of {2 * count} stalled peers were not ended within {timeout + 20} s")
    gone = sum(peer.ended for peer in readers)
    for peer in readers + stalled + echoed:
        peer.reset()
    if sum(most.values()) > 3 * count * 192 * KiB:
        raise Failure(f"slow readers made the server hold {most}")
    return (
        f"{3 * count} peers, at most {most['arenaUsed'] / (3 * count) / KiB:.0f} KiB of arena and "
        f"{most['memoryUsed'] / (3 * count) / KiB:.1f} KiB of C heap each; {2 * count} stalled ones ended, "
        f"{gone} of {count} that read on as well, after {read // MiB} MiB; {taken // MiB} MiB of uploads taken"
    )


async def slow_bodies(target):
    """A byte of a body a second, of a chunk extension, of a chunk size, and a 100 that leads to nothing: 408 for each."""
    count = 40 if target.short else 200
    seconds = 2 if target.short else 6
    server, timeout = target.server, target.timeouts["body"]
    kinds = [
        (request("POST", "/upload", "Content-Length: 10000"), b"b"),
        (request("POST", "/upload", "Transfer-Encoding: chunked") + b"5;", b"e"),
        (request("POST", "/upload", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n", b"0"),
        (request("POST", "/upload", "Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
        (request("POST", "/upload", "Transfer-Encoding: chunked") + b"0\r\nX: ", b"t"),
        (request("POST", "/upload", "Content-Length: 10", "Expect: 100-continue"), b""),
    ]

    async def one(number):
        head, byte = kinds[number % len(kinds)]
        peer = await Peer.connect(server.port)
        await peer.send(head)
        ending = asyncio.create_task(final(peer, timeout + seconds + 20))
        for _ in range(seconds):
            if ending.done():
                break
            peer.send_now(byte)
            await asyncio.wait([ending], timeout=1)
        answer = await ending
        await peer.rest()
        peer.close()
        if answer is None or answer.status != 408:
            raise Failure(f"a slow body of kind {number % len(kinds)} ended with {answer and answer.status}, not with 408")

    await many(count, one, count)
    return f"{count} bodies, each ended with 408"


async def final(peer, seconds):
    """The next answer that is not an interim one."""
    answer = await peer.answer(seconds=seconds)
    while answer and answer.status < 200:
        answer = await peer.answer(seconds=seconds)
    return answer


async def half_closed(target):
    """Peers that end their side early get the answers to what they asked completely, and no 200 to anything else."""
    count = 50 if target.short else 300
    whole = request("GET", "/a")
    kinds = [
        (whole, [200]),
        (request("GET", "/delay/100"), [200]),
        (whole * 10, [200] * 10),
        (whole + whole[:-2], [200]),
        (request("GET", "/bytes/300000"), [200]),
        (whole[:-2], []),
        (whole[:3], []),
        (b"", []),
        (request("POST", "/upload", "Content-Length: 10") + b"short", []),
        (request("POST", "/upload", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n", []),
        (request("POST", "/upload", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n", []),
    ]

    async def one(number):
        sent, expected = kinds[number % len(kinds)]
        peer = await Peer.connect(target.server.port)
        await peer.send(sent)
        peer.shut()
        statuses = []
        while answer := await peer.answer():
            statuses.append(answer.status)
        peer.close()
        good = [status for status in statuses if status < 400]
        if good != expected or peer.was_reset:
            raise Failure(f"{sent[:60]!r} and an end: {statuses}, reset: {peer.was_reset}; expected {expected}")

    await many(count, one)
    return f"{count} peers in {len(kinds)} ways, each answered as far as it had asked"
