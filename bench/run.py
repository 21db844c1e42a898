#!/usr/bin/env python3
"""Compares Gannet with bare C floor servers and with Netty: requests a second and CPU time a request.

One server core, one load core, rounds interleaved. See README.md for what is measured and how to read it.
"""

import argparse
import ctypes
import json
import os
import platform
import re
import resource
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
BODY = b"Hello, World!"
TICKS = os.sysconf("SC_CLK_TCK")

# The floor that a server's CPU time is set against.
FLOOR = {
    "netty": "floor-epoll",
    "gannet-epoll": "floor-epoll",
    "gannet-io_uring": "floor-io_uring",
    "prepared-epoll": "floor-epoll",
    "prepared-io_uring": "floor-io_uring",
}
DEFAULT = ["floor-epoll", "floor-io_uring", "netty", "gannet-epoll", "gannet-io_uring"]
SERVERS = [*DEFAULT, "prepared-epoll", "prepared-io_uring"]

# Both JVMs get these. A fixed heap and the serial collector: one core is all they have.
JVM = "-Xms1g -Xmx1g -XX:+UseSerialGC"
# What Netty users set for speed; Gannet keeps all its checks.
NETTY_JVM = "-Dio.netty.leakDetection.level=disabled -Dio.netty.buffer.checkBounds=false" + (
    " -Dio.netty.buffer.checkAccessible=false"
)


class Failure(Exception):
    """Something that makes the result worthless; its text is for the user."""


def bounded(kind, low, high):
    def parse(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low} to {high}")
        return value

    return parse


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=bounded(int, 1, 50), default=6, help="rounds of each server (default 6)")
    parser.add_argument("--seconds", type=bounded(int, 1, 60), default=4, help="length of a round (default 4)")
    parser.add_argument("--connections", type=bounded(int, 1, 10000), default=64, help="default 64")
    parser.add_argument("--pipeline", type=bounded(int, 1, 64), default=1, help="requests in one write (default 1)")
    parser.add_argument(
        "--servers",
        default=",".join(DEFAULT),
        help=f"comma-separated, of {', '.join(SERVERS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--load", choices=["wrk", "bare"], default="wrk", help="bare: bench/load, where wrk is too slow (default wrk)"
    )
    parser.add_argument(
        "--warm-up", type=bounded(int, 1, 120), default=8, help="seconds of load on each JVM beforehand (default 8)"
    )
    parser.add_argument("--server-core", type=bounded(int, 0, 4095), default=0, help="default 0")
    parser.add_argument("--load-core", type=bounded(int, 0, 4095), default=1, help="default 1")
    parser.add_argument("--java", default="java", help="the java launcher (default: java)")
    parser.add_argument("--jvm", default=JVM, help='flags for both JVMs, as --jvm="..." (default: "%(default)s")')
    parser.add_argument("--gannet-jvm", default="", help="further flags for Gannet's JVM only")
    parser.add_argument("--netty-jvm", default=NETTY_JVM, help='for Netty\'s JVM only (default: "%(default)s")')
    parser.add_argument("--programs", type=Path, default=BENCH / "build", help="where CMake built the C programs")
    parser.add_argument("--netty", type=Path, default=BENCH / "netty/target", help="where Maven built Netty's server")
    parser.add_argument(
        "--gannet", type=Path, default=ROOT / "java/examples/target/examples.jar", help="Gannet's examples.jar"
    )
    parser.add_argument("--out", type=Path, help="file for the raw figures, JSON")
    options = parser.parse_args()
    options.servers = options.servers.split(",")
    for name in options.servers:
        if name not in SERVERS:
            parser.error(f"unknown server {name!r}, known are {', '.join(SERVERS)}")
    if len(set(options.servers)) < len(options.servers):
        parser.error("--servers names one twice")
    if options.server_core == options.load_core:
        parser.error("--server-core and --load-core must differ")
    missing = {options.server_core, options.load_core} - os.sched_getaffinity(0)
    if missing:
        parser.error(f"core {min(missing)} is not among those this process may use")
    return options


def command_of(name, port, options):
    """The server's command line and the file that must exist for it."""
    if name.startswith("floor-"):
        program = options.programs / name.replace("-", "_", 1)
        return [str(program), "--port", str(port)], program
    java = [options.java, *shlex.split(options.jvm)]
    if name == "netty":
        jar = options.netty / "netty-server.jar"
        classes = f"{jar}:{options.netty / 'lib'}/*"
        flags = shlex.split(options.netty_jvm)
        return [*java, *flags, "-cp", classes, "io.gannet.bench.NettyServer", "--port", str(port), "--loops", "1"], jar
    flags = shlex.split(options.gannet_jvm)
    if name.startswith("prepared-"):
        source = BENCH / "gannet/PreparedServer.java"
        arguments = ["--port", str(port), "--backend", name.removeprefix("prepared-")]
        return [*java, *flags, "-cp", str(options.gannet), str(source), *arguments], options.gannet
    backend = name.removeprefix("gannet-")
    arguments = ["hello", "--port", str(port), "--backend", backend, "--loops", "1"]
    return [*java, *flags, "-jar", str(options.gannet), *arguments], options.gannet


def end_with_parent():
    """In the child: end when this script dies, however it dies."""
    death_signal = 1
    if ctypes.CDLL(None, use_errno=True).prctl(death_signal, signal.SIGTERM, 0, 0, 0) != 0:
        os._exit(127)


class Server:
    def __init__(self, name, options):
        self.name = name
        self.is_jvm = not name.startswith("floor-")
        self.log = tempfile.TemporaryFile()
        self.process = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command, needed = command_of(name, self.port, options)
        if not needed.exists():
            raise Failure(f"{name}: {needed} does not exist; build it (bench/README.md) or leave it out by --servers")
        self.command = ["taskset", "-c", str(options.server_core), *command]

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        deadline = time.monotonic() + 30
        while b"listening on http" not in self.output():
            self.check_alive()
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} did not listen within 30 s; it said:\n{self.tail()}")
            time.sleep(0.05)

    def check_alive(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with {self.process.returncode}; it said:\n{self.tail()}")

    def output(self):
        # pread: the child writes through the same file position.
        return os.pread(self.log.fileno(), 1 << 20, 0)

    def tail(self):
        return "\n".join(self.output().decode(errors="replace").splitlines()[-20:])

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def read_answers(connection, count, name):
    """Reads `count` answers and nothing more; returns the bytes of the first."""
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


def receive(connection, name):
    try:
        data = connection.recv(65536)
    except TimeoutError:
        raise Failure(f"{name} did not answer within 5 s") from None
    if not data:
        raise Failure(f"{name} closed the connection before it had answered")
    return data


def check(server):
    """One request, pipelined ones, and one cut inside its end; returns the answer's bytes."""
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        answer = read_answers(connection, 1, server.name)
        connection.sendall(request * 200)
        read_answers(connection, 200, server.name)
        for cut in range(1, 5):
            connection.sendall(request + request[:-cut])
            read_answers(connection, 1, server.name)
            connection.sendall(request[-cut:])
            read_answers(connection, 1, server.name)
        # Nothing further may arrive: a request counted twice would show here.
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1):
            raise Failure(f"{server.name} sent an answer too many")
    return answer


def stat_times(path):
    """Seconds of (user, kernel) CPU out of a /proc stat file of a process or a thread."""
    fields = Path(path).read_text().rpartition(")")[2].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


def thread_times(pid):
    times = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            times[task.name] = sum(stat_times(task / "stat"))
        except (FileNotFoundError, ProcessLookupError):
            pass  # A thread that ended meanwhile; the process's total has its time.
    return times


def core_busy(core):
    """Seconds that a core was not idle, and that the hypervisor took from it."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _, _, irq, softirq, steal = (int(field) / TICKS for field in line.split()[1:9])
            return user + nice + system + irq + softirq, steal
    raise Failure(f"/proc/stat has no cpu{core}")


def load_command(port, seconds, options):
    command = ["taskset", "-c", str(options.load_core)]
    if options.load == "bare":
        command += [str(options.programs / "load"), "--port", str(port), "--connections", str(options.connections)]
        return command + ["--seconds", str(seconds), "--pipeline", str(options.pipeline)]
    command += ["wrk", "-t1", f"-c{options.connections}", f"-d{seconds}s"]
    url = f"http://127.0.0.1:{port}/"
    if options.pipeline == 1:
        return [*command, url]
    return [*command, "-s", str(BENCH / "pipeline.lua"), url, "--", str(options.pipeline)]


def allocated(server):
    """Bytes of the heap that the server's loop has allocated so far; None: it does not tell."""
    control = re.search(rb"control on (\d+)", server.output())
    if not control:
        return None
    with urllib.request.urlopen(f"http://127.0.0.1:{int(control[1])}/", timeout=5) as answer:
        return int(answer.read())


def run_load(server, seconds, options):
    """Returns the requests answered, the rate, and the CPU seconds that the load generator took."""
    command = load_command(server.port, seconds, options)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    load = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )
    try:
        output, _ = load.communicate(timeout=seconds + 20)
    except subprocess.TimeoutExpired:
        raise Failure(f"{server.name}: the load did not end: {' '.join(command)}") from None
    finally:
        if load.poll() is None:
            load.kill()
            load.communicate()
    server.check_alive()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = re.search(r"(\d+) requests in ", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if load.returncode != 0 or not total or not rate or int(total[1]) == 0:
        raise Failure(f"{server.name}: the load failed; it said:\n{output}")
    if "Socket errors" in output or "Non-2xx" in output:
        raise Failure(f"{server.name}: wrk saw errors:\n{output}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return int(total[1]), float(rate[1]), used


def measure(server, options):
    pid = server.process.pid
    allocated(server)  # the first answers of this kind load classes
    heap = allocated(server)
    asking = allocated(server)
    threads = thread_times(pid)
    busy, steal = core_busy(options.server_core)
    user, kernel = stat_times(f"/proc/{pid}/stat")
    started = time.monotonic()
    requests, rate, load = run_load(server, options.seconds, options)
    user_after, kernel_after = stat_times(f"/proc/{pid}/stat")
    elapsed = time.monotonic() - started
    busy_after, steal_after = core_busy(options.server_core)
    user, kernel = user_after - user, kernel_after - kernel
    total = user + kernel
    heap_after = allocated(server)
    # What an answer to this question allocates is not the requests'.
    heap_bytes = None if heap is None else (heap_after - asking - (asking - heap)) / requests
    loop = max(after - threads.get(task, 0) for task, after in thread_times(pid).items())
    return {
        "requests": requests,
        "rate": rate,
        "user_us": user / requests * 1e6,
        "kernel_us": kernel / requests * 1e6,
        "total_us": total / requests * 1e6,
        "heap_bytes": heap_bytes,
        "busy": total / elapsed,
        "loop_share": loop / total if total else 0.0,
        "load_busy": load / elapsed,
        "others": max(0.0, busy_after - busy - total) / elapsed,
        "steal": (steal_after - steal) / elapsed,
    }


def compare(rounds, servers):
    """Medians, and the medians of each round's ratios and differences: what slows a whole round cancels out."""
    summary = {}
    for name in servers:
        mine = [one[name] for one in rounds]
        row = {key: None if one is None else statistics.median(m[key] for m in mine) for key, one in mine[0].items()}
        if "netty" in servers:
            for key in ("rate", "total_us"):
                row[f"{key}_to_netty"] = statistics.median(one[name][key] / one["netty"][key] for one in rounds)
        floor = FLOOR.get(name)
        if floor in servers:
            for key in ("user_us", "total_us"):
                row[f"{key}_over_floor"] = statistics.median(one[name][key] - one[floor][key] for one in rounds)
        summary[name] = row
    return summary


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join([" --- "] + [" ---: "] * (len(header) - 1)) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def figure(value, form):
    return "–" if value is None else format(value, form)


def report(rounds, summary, servers):
    measured = [
        ("requests/s", "rate", ",.0f"),
        ("user µs", "user_us", ".2f"),
        ("kernel µs", "kernel_us", ".2f"),
        ("total µs", "total_us", ".2f"),
        ("heap bytes", "heap_bytes", ".3f"),
        ("server busy", "busy", ".0%"),
        ("loop's share", "loop_share", ".0%"),
        ("load busy", "load_busy", ".0%"),
        ("others", "others", ".0%"),
    ]
    compared = [
        ("rate ÷ Netty", "rate_to_netty", ".2f"),
        ("total ÷ Netty", "total_us_to_netty", ".2f"),
        ("user − floor, µs", "user_us_over_floor", "+.2f"),
        ("total − floor, µs", "total_us_over_floor", "+.2f"),
    ]
    print("### Rounds\n")
    rows = []
    for number, one in enumerate(rounds, 1):
        rows += [
            [f"{name} {number}"] + [figure(one[name][key], form) for _, key, form in measured] for name in servers
        ]
    print(table(["server, round"] + [title for title, _, _ in measured], rows))
    print("### Medians\n")
    columns = measured[:7] + compared
    rows = [[name] + [figure(summary[name].get(key), form) for _, key, form in columns] for name in servers]
    print(table(["server"] + [title for title, _, _ in columns], rows))
    for name in servers:
        row = summary[name]
        if row["busy"] < 0.9:
            print(
                f"{name}: the server's core was {row['busy']:.0%} busy, so its rate is not the most it can serve "
                f"(load core {row['load_busy']:.0%}); compare the µs a request."
            )
        if row["loop_share"] < 0.95:
            print(
                f"{name}: threads other than the loop (compiler, collector) took {1 - row['loop_share']:.0%} of its "
                "CPU time; lengthen --warm-up."
            )
        if row["others"] > 0.03 or row["steal"] > 0.02:
            print(
                f"{name}: the core was disturbed (other processes {row['others']:.0%}, hypervisor "
                f"{row['steal']:.0%}); repeat on a quiet machine."
            )


def describe(options):
    java = ""
    if any(not name.startswith("floor-") for name in options.servers):
        java = subprocess.run([options.java, "-version"], capture_output=True, text=True, check=True).stderr.strip()
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "kernel": platform.release(),
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "java": java,
    }


def progress(text):
    print(text, file=sys.stderr, flush=True)


def allow_descriptors(connections):
    need = connections + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < need:
        if hard != resource.RLIM_INFINITY and hard < need:
            raise Failure(f"{connections} connections need {need} descriptors, the limit (ulimit -Hn) is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


def benchmark(options, servers):
    answers = {}
    for server in servers:
        server.start()
        answers[server.name] = check(server)
    lengths = {name: len(answer) for name, answer in answers.items()}
    if len(set(lengths.values())) > 1:
        progress(f"note: the answers differ in length: {lengths}")
    for server in servers:
        seconds = options.warm_up if server.is_jvm else 1
        progress(f"warming up {server.name}, {seconds} s")
        run_load(server, seconds, options)
    rounds = []
    for number in range(options.rounds):
        turn = number % len(servers)
        one = {}
        for server in servers[turn:] + servers[:turn]:
            one[server.name] = measure(server, options)
            progress(f"round {number + 1}/{options.rounds} {server.name}: {one[server.name]['rate']:,.0f} requests/s")
        rounds.append(one)
    for server in servers:
        check(server)
    return rounds, lengths


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers = []
    try:
        allow_descriptors(options.connections)
        machine = describe(options)
        servers = [Server(name, options) for name in options.servers]
        rounds, lengths = benchmark(options, servers)
    except KeyboardInterrupt:
        sys.exit(130)
    except FileNotFoundError as missing:
        sys.exit(f"{missing.filename} was not found (needed: taskset, java and the load generator)")
    except Failure as failure:
        sys.exit(str(failure))
    finally:
        for server in servers:
            server.stop()
    summary = compare(rounds, options.servers)
    report(rounds, summary, options.servers)
    if options.out:
        result = {
            "command": sys.argv,
            "machine": machine,
            "servers": {server.name: server.command for server in servers},
            "answer_octets": lengths,
            "rounds": rounds,
            "medians": summary,
        }
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
