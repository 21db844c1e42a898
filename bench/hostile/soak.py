#!/usr/bin/env python3
"""Mixed load with resets for a long time; what the server holds must be flat. See bench/README.md.

Every answer is checked. From time to time the load pauses, and when the server is at rest it is measured.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
import types

from floods import crowd
from garbage import mutated, understood
from run import add_server_options, one_failure, prepare, progress, warm_up
from server import IDLE_TIME, Failure, Server
from wire import Malformed, Peer, request

AT_ONCE = 24
# How much more may be held in the last third than in the first: a share, and bytes. The heap and RSS are the JVM's.
SLACK = {"heap": (0.05, 512 << 10), "resident": (0.05, 8 << 20)}
MEASURED = ["descriptors", "blocksLent", "arenaTotal", "arenaUsed", "memoryUsed", "heap", "resident"]


def expect(condition, what):
    if not condition:
        raise Failure(what)


def some_bytes(rng, most):
    return rng.randbytes(int(most * rng.random() ** 3))


def some_target(rng):
    return "/" + "".join(rng.choice("abcdefghij/%20=&?-._~") for _ in range(rng.randrange(60))).replace("%", "%41")


async def exchanged(peer, wire, method="GET"):
    """Sends while it receives, since an answer may be as long as its request."""
    sending = asyncio.create_task(peer.send(wire))
    try:
        answer = await peer.answer(method)
        while answer and answer.status in (100, 103):
            answer = await peer.answer(method)
        await sending
    finally:
        sending.cancel()
    expect(answer is not None, f"no answer to {wire[:60]!r}")
    return answer


async def gets(peer, rng):
    for _ in range(rng.randrange(1, 20)):
        target = some_target(rng)
        answer = await exchanged(peer, request("GET", target))
        expect(answer.body == f"GET {target}".encode(), f"GET {target}: {answer.body[:80]!r}")


async def heads(peer, rng):
    length = rng.randrange(100000)
    answer = await exchanged(peer, request("HEAD", f"/bytes/{length}"), "HEAD")
    expect(answer.field(b"content-length") == b"%d" % length, f"HEAD: {answer.fields}")
    fields = [f"X-{rng.randrange(10)}: {rng.randrange(1 << 30)}" for _ in range(rng.randrange(60))]
    answer = await exchanged(peer, request("GET", "/headers", *fields))
    expect(answer.body.decode() == "\n".join(["Host: localhost", *fields, ""]), f"/headers: {answer.body[:200]!r}")


async def echoes(peer, rng):
    for _ in range(rng.randrange(1, 5)):
        body = some_bytes(rng, 300000)
        fields = ["Expect: 100-continue"] if rng.random() < 0.2 and body else []
        answer = await exchanged(peer, request("POST", "/echo", *fields, body=body))
        expect(answer.status == 200 and answer.body == body, f"an echo of {len(body)} bytes: {answer.status}")


def chunks(rng, body):
    parts, at = [], 0
    while at < len(body):
        part = body[at : at + rng.randrange(1, 5000)]
        extension = b";a=b" if rng.random() < 0.1 else b""
        parts.append(b"%x%s\r\n%s\r\n" % (len(part), extension, part))
        at += len(part)
    trailer = b"X-Trailer: t\r\n" if rng.random() < 0.3 else b""
    return b"".join([*parts, b"0\r\n", trailer, b"\r\n"])


async def chunked_echoes(peer, rng):
    for _ in range(rng.randrange(1, 5)):
        body = some_bytes(rng, 100000)
        wire = request("PUT", "/echo", "Transfer-Encoding: chunked") + chunks(rng, body)
        answer = await exchanged(peer, wire)
        expect(answer.status == 200 and answer.body == body, f"a chunked echo of {len(body)} bytes: {answer.status}")


async def uploads(peer, rng):
    body = some_bytes(rng, 1000000)
    answer = await exchanged(peer, request("POST", "/upload", body=body))
    expect(answer.body == f"{len(body)} bytes".encode(), f"an upload of {len(body)} bytes: {answer.body!r}")


async def downloads(peer, rng):
    length = rng.randrange(2000000)
    answer = await exchanged(peer, request("GET", f"/bytes/{length}"))
    expect(answer.body == b"x" * length, f"a download of {length} bytes has {len(answer.body)}")
    count = rng.randrange(2000)
    answer = await exchanged(peer, request("GET", f"/chunked/{count}"))
    expect(len(answer.body) == count, f"{count} chunks have {len(answer.body)} bytes")
    answer = await exchanged(peer, request("GET", "/trailers", "TE: trailers"))
    expect(len(answer.trailers) == 1, f"/trailers: {answer.trailers}")


async def pipelines(peer, rng):
    targets = [some_target(rng) for _ in range(rng.randrange(2, 100))]
    await peer.send(b"".join(request("GET", target) for target in targets))
    for target in targets:
        answer = await peer.answer()
        expect(answer and answer.body == f"GET {target}".encode(), f"out of order: {answer and answer.body[:80]!r}")


async def waits(peer, rng):
    time_to_wait = rng.randrange(50)
    await peer.send(request("GET", f"/delay/{time_to_wait}"))
    if rng.random() < 0.3:
        peer.shut()
    if rng.random() < 0.3:
        return peer.reset()
    answer = await peer.answer()
    expect(answer and answer.body == f"waited for {time_to_wait} ms".encode(), "a late answer did not come")


async def aborted_uploads(peer, rng):
    body = some_bytes(rng, 300000)
    chunked = rng.random() < 0.5
    start = request("POST", rng.choice(["/echo", "/upload", "/none"]), "Transfer-Encoding: chunked")
    wire = start + chunks(rng, body) if chunked else request("POST", "/echo", body=body)
    sending = asyncio.create_task(peer.send(wire[: rng.randrange(len(wire))]))
    await asyncio.wait([sending], timeout=0.05)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    peer.reset() if rng.random() < 0.7 else peer.close()


async def aborted_downloads(peer, rng):
    await peer.send(request("GET", rng.choice(["/bytes/5000000", "/chunked/50000", "/bytes/100000"])))
    until, got = rng.randrange(1000000), 0
    while got < until and not peer.received.endswith(b"0\r\n\r\n"):
        try:
            data = await asyncio.wait_for(peer.receive(), 0.2)
        except TimeoutError:
            break
        got += len(data)
    peer.reset() if rng.random() < 0.7 else peer.close()


async def tunnels(peer, rng):
    body = some_bytes(rng, 100000)
    await peer.send(request("GET", "/upgrade", "Connection: upgrade", "Upgrade: echo"))
    answer = await peer.answer()
    expect(answer and answer.status == 101, f"an upgrade: {answer and answer.status}")
    if rng.random() < 0.3:
        await asyncio.wait([asyncio.create_task(peer.send(body))], timeout=0.05)
        return peer.reset()
    sending = asyncio.create_task(peer.send(body))
    while len(peer.received) < len(body) and not peer.ended:
        peer.received += await asyncio.wait_for(peer.receive(), 20)
    await sending
    peer.shut()
    expect(await peer.rest() == body, f"a tunnel gave back {len(peer.received)} of {len(body)} bytes")


async def broken(peer, rng):
    wire = mutated(rng)
    await peer.send(wire)
    peer.shut()
    try:
        understood(await peer.rest(most=256 * 1024), b"HEAD" in wire)
    except Malformed as what:
        raise Failure(f"{wire!r}: {what}") from None
    peer.reset()


ACTIONS = [gets, gets, heads, echoes, chunked_echoes, uploads, downloads, pipelines, waits]
ACTIONS += [aborted_uploads, aborted_downloads, tunnels, broken]


class Soak:
    def __init__(self, server, options):
        self.server = server
        self.options = options
        self.going = asyncio.Event()
        self.going.set()
        self.stopping = False
        self.parked = 0
        self.done = dict.fromkeys((action.__name__ for action in ACTIONS), 0)
        self.samples = []

    async def worker(self, number):
        rng = random.Random(f"{self.options.seed} {number}")
        while not self.stopping:
            if not self.going.is_set():
                self.parked += 1
                await self.going.wait()
                self.parked -= 1
                continue
            action = rng.choice(ACTIONS)
            peer = await Peer.connect(self.server.port)
            try:
                await action(peer, rng)
            except Failure as failure:
                self.stopping = True  # for all
                self.going.set()
                self.server.check_alive()
                end = "reset" if peer.was_reset else "end" if peer.ended else "no end"
                raise Failure(f"{action.__name__} ({end} of the connection): {failure}") from None
            finally:
                peer.close()
            self.done[action.__name__] += 1
            # The rate is bounded, so that it is the time that counts, and not the machine.
            await asyncio.sleep(AT_ONCE / self.options.rate)

    async def sample(self, since):
        self.going.clear()
        deadline = time.monotonic() + 60
        while self.parked < AT_ONCE:
            expect(time.monotonic() < deadline, "the load did not pause")
            await asyncio.sleep(0.05)
        gauges = await asyncio.to_thread(self.server.at_rest)
        expect(gauges["connectionsOpen"] == 1 and gauges["exchangesOpen"] == 1, f"not at rest: {gauges}")
        gauges["heap"] = await asyncio.to_thread(self.server.heap_used)
        gauges["resident"] = self.server.resident()
        gauges["at"] = time.monotonic() - since
        self.samples.append(gauges)
        progress(f"{gauges['at']:6.0f} s, {sum(self.done.values())} actions: {row(gauges)}")
        self.going.set()

    async def run(self):
        since = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                group.create_task(self.worker(number))
            while (left := since + self.options.minutes * 60 - time.monotonic()) > 0 and not self.stopping:
                await asyncio.sleep(min(left, self.options.every))
                await self.sample(since)
            self.stopping = True


def row(values):
    parts = []
    for name in MEASURED:
        value = values[name]
        parts.append(f"{name} {value / 1024:,.0f} KiB" if value >= 1 << 14 else f"{name} {value}")
    return ", ".join(parts)


def thirds(samples):
    """The medians of the first third behind the warm-up, a sixth, and of the last."""
    after = samples[max(1, len(samples) // 6) :]
    size = max(1, len(after) // 3)
    return [{name: statistics.median(s[name] for s in part) for name in MEASURED} for part in (after[:size], after[-size:])]


def grown(first, last):
    for name in MEASURED:
        share, more = SLACK.get(name, (0, 0))
        if last[name] > first[name] + max(first[name] * share, more):
            yield f"{name} from {first[name]:,.0f} to {last[name]:,.0f}"


def soak(options):
    server = Server(options.backend, options, {})
    try:
        warm_up(server)
        # Tables grow with the most there ever was at once, and stay.
        asyncio.run(crowd(types.SimpleNamespace(server=server, short=True)))
        state = Soak(server, options)
        try:
            asyncio.run(state.run())
        except* (Failure, OSError) as failures:
            print(f"the server counts {server.counters()}\nits log: {server.complaints()}", file=sys.stderr)
            raise one_failure(failures) from None
        server.at_rest()
        spent = server.loop_time()
        time.sleep(5)  # what is measured: CPU time over this time
        spent = server.loop_time() - spent
        counters = server.counters()
        first, last = thirds(state.samples)
        print(f"{options.backend}, seed {options.seed}, {options.minutes:g} minutes, {len(state.samples)} samples; ", end="")
        print(f"{counters['requests']} requests, {counters['exchangesReset']} exchanges broken, ", end="")
        print(f"{sum(state.done.values())} actions: " + ", ".join(f"{n} {c}" for n, c in state.done.items()) + "\n")
        print("| at rest | first third | last third |\n| --- | --- | --- |")
        for name in MEASURED:
            print(f"| {name} | {first[name]:,.0f} | {last[name]:,.0f} |")
        print(f"| ms of the loop in 5 s | | {spent:.2f} |\n| loop held up (GC for each sample) | | {counters['loopsHeldUp']} |")
        problems = list(grown(first, last))
        if spent > IDLE_TIME:
            problems.append(f"{spent:.2f} ms of CPU time without a connection")
        problems += server.complaints()
        return problems
    finally:
        server.stop()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="default 30")
    parser.add_argument("--backend", choices=["io_uring", "epoll"], required=True)
    parser.add_argument("--every", type=float, default=30, help="seconds between two measurements (default 30)")
    parser.add_argument("--rate", type=float, default=300, help="actions a second at most (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    add_server_options(parser)
    options = parser.parse_args()
    if options.minutes * 60 < 4 * options.every:
        parser.error("--minutes is too short for four measurements; see --every")
    return options


def main():
    options = parse_options()
    prepare(options)
    try:
        problems = soak(options)
    except KeyboardInterrupt:
        sys.exit(130)
    except Failure as failure:
        sys.exit(str(failure))
    if problems:
        sys.exit("not flat: " + "; ".join(problems))


if __name__ == "__main__":
    main()
