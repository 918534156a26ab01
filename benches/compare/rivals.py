"""The rivals, and how they are started."""

import json
import subprocess
import sys
from pathlib import Path

from contender import Failed, Rival
from torch_forms import forms

HERE = Path(__file__).parent
DEFAULT = ["numpy", "pytorch-cpu"]
# Programs of the workspace in rivals/, with their packages and Cargo features.
PROGRAMS = {
    "burn-flex": ("rival-burn", ["flex"]),
    "burn-wgpu": ("rival-burn", ["wgpu"]),
    "burn-vulkan": ("rival-burn", ["vulkan"]),
    "burn-cuda": ("rival-burn", ["cuda"]),
    "meganeura": ("rival-meganeura", []),
}
NAMES = ["numpy", "pytorch-cpu", "pytorch-cuda", *PROGRAMS]


def contenders(names, network, executables):
    """The rivals with these names that can train this network."""
    arguments = ["{case}", "{arch}", "{batch}"]
    found = []
    for name in names:
        if name in executables:
            found.append(Rival(name, [executables[name], *arguments]))
        elif name == "numpy" and not network.convolutional:
            found.append(served("numpy"))
        elif name.startswith("pytorch-"):
            found += [served(form.name, form.exact) for form in forms(name[len("pytorch-") :], network.convolutional)]
    return found


def served(name, exact=True):
    return Rival(name, [sys.executable, str(HERE / "serve.py"), name, "{case}", "{arch}", "{batch}"], exact)


def programs(names, folder):
    """The executables of the Rust rivals by name: from a folder, or else built. Failed builds go to stderr."""
    executables = {}
    for name in [name for name in names if name in PROGRAMS]:
        try:
            executables[name] = str(Path(folder) / name) if folder else built(name)
        except Failed as failed:
            print(f"left out {name}: {failed}", file=sys.stderr)
    return executables


def built(name):
    package, features = PROGRAMS[name]
    command = ["cargo", "build", "--release", "--locked", "--message-format", "json-render-diagnostics"]
    command += ["--manifest-path", str(HERE / "rivals" / "Cargo.toml"), "--package", package, "--bin", name]
    command += ["--features", ",".join(features)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise Failed("cargo is not installed") from None
    if done.returncode != 0:
        raise Failed("it does not build")
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    [executable] = [message["executable"] for message in messages if message.get("executable")]
    return executable
