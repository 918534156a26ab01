"""The printed report: Markdown tables."""

import math
import os
import platform
import time
from pathlib import Path


def machine():
    """One line about the machine and its load."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    return f"{cpu()}, {cores} cores, {platform.system()}, {time.strftime('%Y-%m-%d')}, load {load:.1f} at the start"


def cpu():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def steps_table(results):
    """Milliseconds per step of all contenders on one network: median, minimum and maximum of the rounds."""
    ours = [result for result in results if result["name"].startswith("gpunet")]
    ratios = [f"{our['name']} / contender" for our in ours] if len(ours) > 1 else ["gpunet / contender"]
    rows = [["contender", "median ms per step", "min", "max", *ratios]]
    for result in results:
        times = [milliseconds(result[which]) for which in ["median", "min", "max"]]
        rows.append([result["name"], *times, *(f"{our['median'] / result['median']:.2f}" for our in ours)])
    return markdown(rows)


def contenders_table(results):
    """The version and the device of each contender."""
    named = {result["name"]: [result["name"], result["version"], result["device"]] for result in results}
    return markdown([["contender", "version", "device"], *named.values()], numbers=False)


def markdown(rows, numbers=True):
    rule = ["---"] + ["--:" if numbers else "---"] * (len(rows[0]) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def milliseconds(value):
    """The value with three significant digits, or more before the decimal point."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"
