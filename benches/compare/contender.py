"""Contenders. Each is a process of its own, so that their threads do not interfere.

A rival is started with the case file, the architecture and the batch size. It takes the first 12 steps and answers
with a line of JSON: name, version, device, losses, first_step_ms. Then it reads lines. `reset` restores the initial
parameters. A number makes it take that many steps, wait for them, and answer {"ms_per_step": ...}. Step t, counted
from 0, uses batch t mod 4. The rival ends when its input ends.
"""

import json
import os
import signal
import statistics
import subprocess
import tempfile
import threading

CHUNK_MS = 40  # least time of a chunk, as in `gpunet bench`; longer than the error of clocks and of waiting
FEWEST = 5  # least number of chunks in a round
STARTUP_SECONDS = 900  # limit for compilers and autotuners; a rival that takes longer has failed


class Failed(Exception):
    """A contender cannot run; the message says why."""


def chunks(ms_per_step, seconds):
    """The number of chunks in a round, and the number of steps in a chunk."""
    steps = max(1, -int(-CHUNK_MS // ms_per_step))
    return max(FEWEST, round(seconds * 1e3 / (steps * ms_per_step))), steps


class Gpunet:
    def __init__(self, binary, device, precision):
        self.binary, self.exact = binary, precision != "f16"
        self.name = f"gpunet {device}" if precision == "f32" else f"gpunet {device} {precision}"
        self.arguments = ["--device", device, "--precision", precision]

    def start(self, network, case):
        """Writes the case file if there is none yet."""
        export = [] if os.path.exists(case) else ["--export", case]
        self.workload = ["--arch", network.arch, "--batch", str(network.batch)]
        report = self.bench("--steps", str(FEWEST), *export)
        self.ms_per_step = report["ms_per_step"]["median"]
        self.losses, self.first_step_ms = report["losses"], report["first_step_ms"]
        self.version, self.device = self.output("--version").split()[-1], report["device"]

    def time(self, seconds):
        """The median of a round's chunks, which `gpunet bench` warms up for and times by itself."""
        count, steps = chunks(self.ms_per_step, seconds)
        self.ms_per_step = self.bench("--steps", str(count * steps))["ms_per_step"]["median"]
        return self.ms_per_step

    def bench(self, *arguments):
        return json.loads(self.output("bench", "--json", *self.arguments, *self.workload, *arguments))

    def output(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(reason(done.stderr, done.returncode))
        return done.stdout

    def stop(self):
        """Does nothing: the process ends by itself after each round."""


class Rival:
    def __init__(self, name, command, exact=True):
        """In the command, `{case}`, `{arch}` and `{batch}` stand for case file, architecture and batch size."""
        self.name, self.command, self.exact, self.process = name, command, exact, None

    def start(self, network, case):
        places = {"{case}": case, "{arch}": network.arch, "{batch}": str(network.batch)}
        command = [places.get(argument, argument) for argument in self.command]
        self.errors = tempfile.TemporaryFile("w+")
        environment = os.environ | {"RUST_BACKTRACE": "0"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        try:
            self.process = subprocess.Popen(command, text=True, env=environment, **pipes)
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from None
        timer = threading.Timer(STARTUP_SECONDS, self.process.kill)
        timer.start()
        try:
            ready = self.answer()
        finally:
            timer.cancel()
        self.losses, self.first_step_ms = ready["losses"], ready["first_step_ms"]
        self.version, self.device = ready["version"], ready["device"]

    def time(self, seconds):
        """The median of a round's chunks, from the initial parameters and after a warm-up, as in `gpunet bench`."""
        self.say("reset")
        ms = self.steps(1)
        for _ in range(2):
            ms = self.steps(chunks(ms, seconds)[1])
        count, steps = chunks(ms, seconds)
        return statistics.median(self.steps(steps) for _ in range(count))

    def steps(self, count):
        self.say(str(count))
        return self.answer()["ms_per_step"]

    def say(self, line):
        try:
            print(line, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self.fail()

    def answer(self):
        try:
            return json.loads(self.process.stdout.readline())
        except json.JSONDecodeError:
            self.fail()

    def fail(self):
        self.stop()
        self.errors.seek(0)
        raise Failed(reason(self.errors.read(), self.process.returncode))

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def reason(errors, status):
    """Why a process ended: the signal, or the last line of its errors that is not a note."""
    if status < 0:
        return f"it was killed by {signal.Signals(-status).name}"
    lines = [line.strip() for line in errors.splitlines()]
    said = [line for line in lines if line and not line.startswith("note: ")]
    return said[-1] if said else f"it ended with status {status}"
