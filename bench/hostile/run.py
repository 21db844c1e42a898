#!/usr/bin/env python3
"""Attacks a server in a process of its own, and checks after each attack that it holds. See bench/README.md.

After each attack a fresh request is served, descriptors and memory are back where they were, and the log is clean.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

import floods
import garbage
import slow
from server import JAR, Failure, Server

ATTACKS = {
    "idle": slow.idle,  # first: it measures what a connection costs, tables included
    "crowd": floods.crowd,
    "dribble": slow.dribble,
    "resets": floods.resets,
    "mutations": garbage.mutations,
    "pipeline": floods.pipeline,
    "endless": floods.endless,
    "foreign": garbage.foreign,
    "slow-readers": slow.slow_readers,
    "slow-bodies": slow.slow_bodies,
    "half-closed": slow.half_closed,
    "churn": floods.churn,
    "upgrades": floods.upgrades,
    "asleep": slow.asleep,
}
# Tables of connections and exchanges, and pools, grow with the most there ever were at once, by at most so many bytes
# in all, and keep their size. Everything else must be back exactly.
TABLES = {"idle": 1 << 20, "crowd": 1 << 20}
SETTLE = 30


class Target:
    def __init__(self, server, name, options, timeouts):
        self.server = server
        self.short = options.short
        self.timeouts = timeouts
        self.random = random.Random(f"{options.seed} {name}")
        self.tables = TABLES.get(name, 0)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=["io_uring", "epoll", "both"], default="both", help="default both")
    parser.add_argument("--short", action="store_true", help="fewer of everything: half a minute a backend")
    parser.add_argument("--only", choices=list(ATTACKS), action="append", help="this attack (may be repeated)")
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default 1)")
    add_server_options(parser)
    return parser.parse_args()


def add_server_options(parser):
    parser.add_argument("--dispatch", choices=["loop", "virtual", "pool"], default="loop", help="default loop")
    parser.add_argument("--java", default="java", help="the java launcher (default: java)")
    parser.add_argument(
        "--jvm", default="-Xms128m -Xmx128m -XX:+UseSerialGC", help='its flags, as --jvm="..." (default: "%(default)s")'
    )
    parser.add_argument("--jar", type=Path, default=JAR, help="Gannet's examples.jar")
    parser.add_argument("--server-core", type=int, default=0, help="default 0")
    parser.add_argument("--load-core", type=int, default=1, help="default 1")


def progress(text):
    print(text, file=sys.stderr, flush=True)


def one_failure(group):
    """The first of the failures that ended an attack."""
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


def run_attack(name, server, options, timeouts):
    """What the attack says, and how long the server took to be back where it was."""
    target = Target(server, name, options, timeouts)
    before = server.at_rest()
    said = len(server.output())
    try:
        figures = asyncio.run(attack_with_deadline(name, target))
    except* (Failure, OSError) as failures:
        raise one_failure(failures) from None
    server.check_alive()
    server.fetch("/after")
    settled = server.settle({**before, "memoryUsed": before["memoryUsed"] + target.tables}, SETTLE)
    if complaints := server.complaints(said):
        raise Failure("the server's log:\n" + "\n".join(complaints[:20]))
    return figures, settled


async def attack_with_deadline(name, target):
    seconds = 60 if target.short else 300
    try:
        async with asyncio.timeout(seconds):
            return await ATTACKS[name](target)
    except TimeoutError:
        raise Failure(f"not over within {seconds} s") from None


def warm_up(server):
    """What a JVM loads and opens once: classes of all routes, and the socket that jcmd comes by."""
    for _ in range(50):
        for path in ("/a", "/headers", "/bytes/100000", "/delay/1", "/stats"):
            server.fetch(path)
    server.heap_histogram()


def attack_backend(backend, options):
    timeouts = {"head": 3, "body": 2, "write": 2} if options.short else {"head": 8, "body": 4, "write": 5}
    rows = []
    server = None
    try:
        for name in options.only or ATTACKS:
            if server is None:
                server = Server(backend, options, timeouts)
                warm_up(server)
                if name not in TABLES:
                    run_attack("crowd", server, options, timeouts)
            started = time.monotonic()
            try:
                figures, settled = run_attack(name, server, options, timeouts)
                rows.append((backend, name, True, f"{figures}; back after {settled:.1f} s"))
            except (Failure, OSError) as failure:
                rows.append((backend, name, False, str(failure) or repr(failure)))
                server.stop()
                server = None  # the next attack is to find a sound one
            _, _, held, text = rows[-1]
            progress(f"{backend} {name}: {'held' if held else 'FAILED'}, {time.monotonic() - started:.1f} s: {text}")
    finally:
        if server is not None:
            server.stop()
    return rows


def prepare(options):
    """This process on its own core, with descriptors for all attacks; the signals end the server, too."""
    if options.server_core == options.load_core:
        sys.exit("--server-core and --load-core must differ")
    os.sched_setaffinity(0, {options.load_core})
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 6000:
        sys.exit(f"6000 descriptors are needed, and only {hard} are allowed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def main():
    options = parse_options()
    prepare(options)
    rows = []
    try:
        for backend in ["io_uring", "epoll"] if options.backend == "both" else [options.backend]:
            rows += attack_backend(backend, options)
    except KeyboardInterrupt:
        sys.exit(130)
    except Failure as failure:
        sys.exit(str(failure))
    print(f"| backend | attack | held | figures (seed {options.seed}) |\n| --- | --- | --- | --- |")
    for backend, name, held, text in rows:
        print(f"| {backend} | {name} | {'yes' if held else '**NO**'} | {' '.join(text.split())[:1000]} |")
    failed = [f"{backend} {name}" for backend, name, held, _ in rows if not held]
    if failed:
        sys.exit(f"did not hold: {', '.join(failed)}")


if __name__ == "__main__":
    main()
