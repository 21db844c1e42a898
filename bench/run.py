#!/usr/bin/env python3
"""Compares Gannet with bare C floor servers and with others: requests a second and CPU time a request.

One server core, one load core, rounds interleaved. See README.md for what is measured and how to read it.
"""

import argparse
import ctypes
import getpass
import json
import os
import platform
import re
import resource
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from answers import BODY, Failure, check_http1, check_http2

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
TICKS = os.sysconf("SC_CLK_TCK")

# The floor that a server's CPU time is set against.
FLOOR = {
    "netty": "floor-epoll",
    "gannet-epoll": "floor-epoll",
    "gannet-io_uring": "floor-io_uring",
    "prepared-epoll": "floor-epoll",
    "prepared-io_uring": "floor-io_uring",
}
GANNET = ["gannet-epoll", "gannet-io_uring"]
PREPARED = ["prepared-epoll", "prepared-io_uring"]
FLOORS = ["floor-epoll", "floor-io_uring"]
OTHERS = ["h2o", "nginx", "netty", "vertx"]
SERVERS = [*FLOORS, *OTHERS, *GANNET, *PREPARED]
# Which run where none are named, by protocol. The floors know nothing of HTTP/2.
DEFAULT = {"http1": [*FLOORS, "netty", *GANNET], "h2c": [*OTHERS, *GANNET, *PREPARED]}
CHECKS = {"http1": check_http1, "h2c": check_http2}

# All JVMs get these. A fixed heap and the serial collector: one core is all they have.
JVM = "-Xms1g -Xmx1g -XX:+UseSerialGC"
# What Netty users set for speed; Gannet keeps all its checks.
NETTY_JVM = "-Dio.netty.leakDetection.level=disabled -Dio.netty.buffer.checkBounds=false" + (
    " -Dio.netty.buffer.checkAccessible=false"
)
# Of Vert.x the same, as its guide to speed has it.
VERTX_JVM = NETTY_JVM + " -Dvertx.disableHttpHeadersValidation=true -Dvertx.disableMetrics=true" + (
    " -Dvertx.threadChecks=false -Dvertx.disableContextTimings=true -Dvertx.disableTCCL=true"
)

H2O = """\
listen: {{host: 127.0.0.1, port: {port}}}
user: "{user}"
num-threads: 1
send-server-name: OFF
file.etag: OFF
hosts:
  default:
    paths:
      "/":
        file.dir: "{directory}"
        file.index: [index.txt]
"""
NGINX = """\
daemon off;
master_process off;
worker_processes 1;
pid "{directory}/nginx.pid";
error_log stderr;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    server_tokens off;
    default_type "text/plain; charset=utf-8";
    keepalive_requests 2000000000;
    client_body_temp_path "{directory}/body";
    proxy_temp_path "{directory}/proxy";
    fastcgi_temp_path "{directory}/fastcgi";
    uwsgi_temp_path "{directory}/uwsgi";
    scgi_temp_path "{directory}/scgi";
    server {{
        listen 127.0.0.1:{port}{protocol};
        location / {{ return 200 "{body}"; }}
    }}
}}
"""


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
    parser.add_argument(
        "--protocol", choices=list(DEFAULT), default="http1", help="h2c: HTTP/2 in clear text by prior knowledge"
    )
    parser.add_argument("--connections", type=bounded(int, 1, 10000), default=64, help="default 64")
    parser.add_argument("--pipeline", type=bounded(int, 1, 64), default=1, help="requests in one write (default 1)")
    parser.add_argument("--streams", type=bounded(int, 1, 100), default=1, help="h2c: at once a connection (default 1)")
    parser.add_argument(
        "--servers",
        help=f"comma-separated, of {', '.join(SERVERS)} (default: "
        + "; ".join(f"{protocol}: {','.join(names)}" for protocol, names in DEFAULT.items())
        + ")",
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
    parser.add_argument("--jvm", default=JVM, help='flags for all JVMs, as --jvm="..." (default: "%(default)s")')
    parser.add_argument("--gannet-jvm", default="", help="further flags for Gannet's JVM only")
    parser.add_argument("--netty-jvm", default=NETTY_JVM, help='for Netty\'s JVM only (default: "%(default)s")')
    parser.add_argument("--vertx-jvm", default=VERTX_JVM, help='for Vert.x\'s JVM only (default: "%(default)s")')
    parser.add_argument("--programs", type=Path, default=BENCH / "build", help="where CMake built the C programs")
    parser.add_argument("--netty", type=Path, default=BENCH / "netty/target", help="where Maven built Netty's server")
    parser.add_argument("--vertx", type=Path, default=BENCH / "vertx/target", help="where Maven built Vert.x's server")
    parser.add_argument(
        "--gannet", type=Path, default=ROOT / "java/examples/target/examples.jar", help="Gannet's examples.jar"
    )
    parser.add_argument("--out", type=Path, help="file for the raw figures, JSON")
    options = parser.parse_args()
    options.servers = options.servers.split(",") if options.servers else DEFAULT[options.protocol]
    for name in options.servers:
        if name not in SERVERS:
            parser.error(f"unknown server {name!r}, known are {', '.join(SERVERS)}")
    if len(set(options.servers)) < len(options.servers):
        parser.error("--servers names one twice")
    if options.protocol == "h2c":
        if floors := [name for name in options.servers if name in FLOORS]:
            parser.error(f"{floors[0]} does not speak HTTP/2")
        if options.pipeline != 1 or options.load != "wrk":
            parser.error("--pipeline and --load are of HTTP/1; h2load has --streams")
    elif options.streams != 1:
        parser.error("--streams is of h2c; HTTP/1 has --pipeline")
    if options.server_core == options.load_core:
        parser.error("--server-core and --load-core must differ")
    missing = {options.server_core, options.load_core} - os.sched_getaffinity(0)
    if missing:
        parser.error(f"core {min(missing)} is not among those this process may use")
    return options


def write_configuration(name, port, directory, options):
    """The file that h2o and nginx are started with, and what they serve."""
    # They may give up root for another user, who then reads it.
    directory.chmod(0o755)
    (directory / "index.txt").write_bytes(BODY)
    file = directory / f"{name}.conf"
    protocol = " http2" if options.protocol == "h2c" else ""
    text = {"h2o": H2O, "nginx": NGINX}[name]
    file.write_text(
        text.format(port=port, directory=directory, user=getpass.getuser(), protocol=protocol, body=BODY.decode())
    )
    return file


def command_of(name, port, directory, options):
    """The server's command line and the file that must exist for it, if any is to be built."""
    if name in ("h2o", "nginx"):
        file = write_configuration(name, port, directory, options)
        program = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
        if program is None:
            raise Failure(f"{name} is not installed; install it or leave it out by --servers")
        more = ["-p", str(directory), "-e", "stderr"] if name == "nginx" else []
        return [program, "-c", str(file), *more], None
    if name.startswith("floor-"):
        program = options.programs / name.replace("-", "_", 1)
        return [str(program), "--port", str(port)], program
    java = [options.java, *shlex.split(options.jvm)]
    if name in ("netty", "vertx"):
        built, flags, main = {
            "netty": (options.netty, options.netty_jvm, "io.gannet.bench.NettyServer"),
            "vertx": (options.vertx, options.vertx_jvm, "io.gannet.bench.VertxServer"),
        }[name]
        jar = built / f"{name}-server.jar"
        classes = f"{jar}:{built / 'lib'}/*"
        arguments = ["--port", str(port)]
        if name == "netty":
            arguments += ["--loops", "1", "--protocol", options.protocol]
        return [*java, *shlex.split(flags), "-cp", classes, main, *arguments], jar
    way, _, backend = name.partition("-")
    arguments = ["--port", str(port), "--backend", backend, "--way", "text" if way == "gannet" else way]
    source = BENCH / "gannet/GannetServer.java"
    flags = shlex.split(options.gannet_jvm)
    return [*java, *flags, "-cp", str(options.gannet), str(source), *arguments], options.gannet


def end_with_parent():
    """In the child: end when this script dies, however it dies."""
    death_signal = 1
    if ctypes.CDLL(None, use_errno=True).prctl(death_signal, signal.SIGTERM, 0, 0, 0) != 0:
        os._exit(127)


def is_jvm(name):
    return name in ("netty", "vertx", *GANNET, *PREPARED)


class Server:
    def __init__(self, name, options):
        self.name = name
        self.is_jvm = is_jvm(name)
        self.says_when_ready = name not in ("h2o", "nginx")
        self.check_answers = CHECKS[options.protocol]
        self.log = tempfile.TemporaryFile()
        self.directory = tempfile.TemporaryDirectory(prefix=f"bench-{name}-")
        self.process = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command, needed = command_of(name, self.port, Path(self.directory.name), options)
        if needed and not needed.exists():
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
        while not self.is_ready():
            self.check_alive()
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} did not listen within 30 s; it said:\n{self.tail()}")
            time.sleep(0.05)

    def is_ready(self):
        if self.says_when_ready:
            return b"listening on http" in self.output()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def check(self):
        """The octets of an answer, if the server answers right."""
        return self.check_answers(self.port, self.name)

    def check_alive(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with {self.process.returncode}; it said:\n{self.tail()}")

    def output(self):
        # pread: the child writes through the same file position.
        return os.pread(self.log.fileno(), 1 << 20, 0)

    def tail(self):
        return "\n".join(self.output().decode(errors="replace").splitlines()[-20:])

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.directory.cleanup()


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
    if options.protocol == "h2c":
        command += ["h2load", "-t1", f"-c{options.connections}", f"-m{options.streams}", f"-D{seconds}"]
        return [*command, f"http://127.0.0.1:{port}/"]
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


def read_load(name, output, options):
    """Requests answered and the rate, out of what the load generator says; its errors are failures."""
    if options.protocol == "h2c":
        total = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", output)
        rate = re.search(r"finished in .*, ([\d.]+) req/s", output)
        wrong = not re.search(r" 0 failed, 0 errored, 0 timeout", output)
    else:
        total = re.search(r"(\d+) requests in ", output)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
        wrong = "Socket errors" in output or "Non-2xx" in output
    if wrong or not total or not rate or int(total[1]) == 0:
        raise Failure(f"{name}: the load failed or saw errors:\n{output}")
    return int(total[1]), float(rate[1])


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
    if load.returncode != 0:
        raise Failure(f"{server.name}: the load failed; it said:\n{output}")
    requests, rate = read_load(server.name, output, options)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return requests, rate, used


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
    if total == 0:
        raise Failure(f"{server.name} was given no measurable CPU time: a longer round, or a quieter machine")
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
        for other in ("h2o", "netty"):
            if other in servers:
                for key in ("rate", "total_us"):
                    row[f"{key}_to_{other}"] = statistics.median(one[name][key] / one[other][key] for one in rounds)
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
        ("rate ÷ h2o", "rate_to_h2o", ".2f"),
        ("total ÷ h2o", "total_us_to_h2o", ".2f"),
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
    # What is compared with a server that was left out has no column.
    columns = measured[:7] + [one for one in compared if any(one[1] in row for row in summary.values())]
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


def version_of(program, option):
    path = shutil.which(program, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
    if path is None:
        return None
    said = subprocess.run([path, option], capture_output=True, text=True)
    return (said.stdout + said.stderr).strip().partition("\n")[0]


def describe(options):
    java = ""
    if any(is_jvm(name) for name in options.servers):
        java = subprocess.run([options.java, "-version"], capture_output=True, text=True, check=True).stderr.strip()
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "kernel": platform.release(),
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "java": java,
        "h2o": version_of("h2o", "-v") if "h2o" in options.servers else None,
        "nginx": version_of("nginx", "-v") if "nginx" in options.servers else None,
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
    lengths = {}
    for server in servers:
        server.start()
        lengths[server.name] = server.check()
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
        server.check()
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
