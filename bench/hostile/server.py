"""The server under attack: the playground in a process of its own, and what can be told about it from outside."""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JAR = ROOT / "java/examples/target/examples.jar"

# The most CPU time of a loop that has nothing to do, ms in some seconds, among which are two requests for its counters.
IDLE_TIME = 5

# Each must be back where it was when an attack is over.
GAUGES = [
    "connectionsOpen",
    "exchangesOpen",
    "exchangesAbandoned",
    "tunnelsOpen",
    "blocksLent",
    "memoryUsed",
    "arenaTotal",
    "arenaUsed",
    "descriptors",
]


class Failure(Exception):
    """The server did not hold, or something else makes the result worthless; its text is for the user."""


def end_with_parent():
    """In the child: end when this script dies, however it dies."""
    death_signal = 1
    if ctypes.CDLL(None, use_errno=True).prctl(death_signal, signal.SIGTERM, 0, 0, 0) != 0:
        os._exit(127)


class Server:
    """`timeouts`: seconds by the playground's option, as {"head": 5}."""

    def __init__(self, backend, options, timeouts):
        if not options.jar.exists():
            raise Failure(f"{options.jar} does not exist: build it first (README.md)")
        java = shutil.which(options.java)
        if java is None:
            raise Failure(f"{options.java} was not found")
        self.backend = backend
        self.jcmd = Path(java).resolve().with_name("jcmd")
        self.log = tempfile.TemporaryFile()
        command = ["taskset", "-c", str(options.server_core), java, *options.jvm.split(), "-jar", str(options.jar)]
        command += ["playground", "--port", "0", "--backend", backend, "--loops", "1", "--dispatch", options.dispatch]
        for name, seconds in timeouts.items():
            command += [f"--{name}-timeout", str(seconds)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        self.pid = self.process.pid
        try:
            self.port = self.wait_for(self.announced, "listening", 30)
        except BaseException:
            self.stop()
            raise

    def announced(self):
        port = re.search(rb"listening on http://127\.0\.0\.1:(\d+)", self.output())
        return int(port[1]) if port else None

    def wait_for(self, condition, what, seconds):
        """What `condition` gives as soon as that is something; the server must stay alive meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            self.check_alive()
            result = condition()
            if result:
                return result
            if time.monotonic() > deadline:
                raise Failure(f"not within {seconds} s: {what}")
            time.sleep(0.02)

    def check_alive(self):
        if self.process.poll() is not None:
            raise Failure(f"the server ended with {self.process.returncode}; it said:\n{self.tail()}")

    def output(self, since=0):
        # pread: the child writes through the same file position.
        return os.pread(self.log.fileno(), 1 << 24, since)

    def tail(self):
        return "\n".join(self.output().decode(errors="replace").splitlines()[-30:])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # ---- what it says of itself ----

    def fetch(self, path, seconds=10):
        """The body of a 200 over a fresh connection, which the server closes."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), seconds) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                received = b""
                while data := connection.recv(65536):
                    received += data
        except OSError as error:
            self.check_alive()
            raise Failure(f"a fresh request for {path} was not served: {error}") from None
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        if not head.startswith(b"HTTP/1.1 200 ") or not end or not length or int(length[1]) != len(body):
            raise Failure(f"a fresh request for {path} was answered with {received[:200]!r}")
        return body

    def counters(self):
        """/stats, and the bytes of the arena that are used."""
        counters = json.loads(self.fetch("/stats"))
        counters["arenaUsed"] = counters["arenaTotal"] - counters["arenaFree"]
        return counters

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def gauges(self):
        descriptors = self.descriptors()
        counters = self.counters()
        counters["descriptors"] = descriptors
        return {name: counters[name] for name in GAUGES}

    def at_rest(self):
        """The gauges when nothing is going on: the same five times in a row."""
        seen = []

        def same():
            seen.append(self.gauges())
            return len(seen) >= 5 and all(gauges == seen[-1] for gauges in seen[-5:])

        self.wait_for(same, "gauges at rest", 30)
        return seen[-1]

    def settle(self, before, seconds):
        """Waits until no gauge is above `before`; what it took."""
        started = time.monotonic()
        above = {}

        def back():
            now = self.gauges()
            above.clear()
            above.update({name: (value, before[name]) for name, value in now.items() if value > before[name]})
            return not above

        try:
            self.wait_for(back, "", seconds)
        except Failure:
            self.check_alive()
            left = ", ".join(f"{name} {now} instead of {then}" for name, (now, then) in above.items())
            raise Failure(f"not back where it was after {seconds} s: {left}") from None
        return time.monotonic() - started

    # ---- what the system says of it ----

    def resident(self):
        """RSS, bytes."""
        return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())[1]) * 1024

    def loop_time(self):
        """CPU time of the loop's thread, ms, from the scheduler: a tick of the system's clock may be any of 10 ms."""
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            if re.fullmatch(r"gannet-loop-\d+", (task / "comm").read_text().strip()):
                return int((task / "schedstat").read_text().split()[0]) / 1e6
        raise Failure("the loop's thread was not found by its name")

    def ask_jvm(self, *command):
        result = subprocess.run(
            [self.jcmd, str(self.pid), *command], capture_output=True, text=True, timeout=60, check=False
        )
        if result.returncode != 0:
            raise Failure(f"jcmd {' '.join(command)} failed: {result.stdout}{result.stderr}")
        return result.stdout

    def heap_histogram(self):
        """{class: (instances, bytes)} of what a collection leaves."""
        lines = re.findall(r"^ *\d+: +(\d+) +(\d+)  (\S+)", self.ask_jvm("GC.class_histogram"), re.MULTILINE)
        return {name: (int(instances), int(size)) for instances, size, name in lines}

    def heap_used(self):
        """Bytes of the heap after a collection."""
        self.ask_jvm("GC.run")
        return sum(size for _, size in self.heap_histogram().values())

    def complaints(self, since=0):
        """What its log has at WARNING and above, and traces of the stack. Not that the loop was held up: a collection
        that jcmd asked for, or a machine that others use, does that as well; the counter loopsHeldUp has it."""
        found, excused = [], False
        for line in self.output(since).decode(errors="replace").splitlines():
            if re.match(r"\s+at ", line):
                found += [] if excused else [line]
                continue
            excused = re.match(r"WARNING: \S+ is held up for ", line) is not None
            if not excused and re.match(r"WARNING|SEVERE|.*\b\w+(Exception|Error)\b", line):
                found.append(line)
        return found
