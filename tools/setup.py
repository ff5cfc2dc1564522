"""Make ``.venv`` and install the workbench into it: repeatable, resumable, quick when done.

Run by ``tools/setup.sh``, which finds a Python that is new enough. Standard library only, because
nothing is installed yet. A stamp, written last, holds a hash of what was asked for; while it
matches there is nothing to do. Whatever goes wrong becomes one sentence (``SetupError``).
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GB = 10**9

# Measured on Linux, where PyTorch brings the CUDA libraries along: 6.6 GB installed, and 2.9 GB of
# downloads that pip keeps in its cache. Elsewhere both are small.
NEED_CUDA = 10 * GB
NEED_PLAIN = 3 * GB

Run = Callable[[Sequence[str], Path], tuple[int, str]]
"""Runs a command, appends what it prints to a log file, returns its exit status and output."""


class SetupError(Exception):
    """Set-up cannot go on; the message is the one sentence the user reads."""


def key(root: Path) -> str:
    """Hash of everything the environment is made from, the interpreter included."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {name: project[name] for name in ("build-system", "project")}
    constraints = (root / "constraints.txt").read_text(encoding="utf-8")
    made_from = [asked, project["tool"]["setuptools"], constraints, sys.version_info[:2], str(root)]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def stamp(root: Path) -> Path:
    """The file that says set-up was finished, and for what."""
    return root / ".venv" / "mfa-setup"


def ready(root: Path) -> bool:
    """Whether the environment is complete and made from the present files."""
    path = stamp(root)
    return path.is_file() and path.read_text() == key(root)


def python(root: Path) -> str:
    """The environment's interpreter."""
    return str(root / ".venv" / "bin" / "python")


def run(command: Sequence[str], log: Path) -> tuple[int, str]:
    """Run ``command``; show its latest line on a terminal and append all of them to ``log``."""
    lines: list[str] = []
    popen = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    )  # fmt: skip
    with log.open("a", encoding="utf-8") as file, popen as process:
        for line in process.stdout or ():
            lines.append(line)
            file.write(line)
            if sys.stdout.isatty():
                print(f"\r\033[K  {line.strip()[:74]}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)
    return process.returncode, "".join(lines)


def free_bytes(folder: Path) -> int:
    """Bytes free on the disk of ``folder``."""
    return shutil.disk_usage(folder).free


def check_disk(root: Path, free: Callable[[Path], int]) -> None:
    """Refuse before downloading gigabytes that would not fit; what is installed already counts."""
    need = NEED_CUDA if platform.system() == "Linux" else NEED_PLAIN
    files = (root / ".venv").rglob("*")
    have = sum(path.lstat().st_size for path in files if not path.is_symlink())
    if free(root) < need - have:
        raise SetupError(
            f"the disk of {root} has {free(root) / GB:.1f} GB free and the installation needs "
            f"{(need - have) / GB:.1f} GB; make room, or clone to a larger disk"
        )


def usable(root: Path, run: Run, log: Path) -> bool:
    """Whether ``.venv`` has a working pip of its own: not half-made, not moved, not copied."""
    script = root / ".venv" / "bin" / "pip"
    if not script.exists():
        return False
    try:
        status, output = run([str(script), "--version"], log)
    except OSError:  # its interpreter is gone
        return False
    own = f"{root / '.venv'}/" in output
    return status == 0 and own and f"(python {sys.version_info[0]}.{sys.version_info[1]})" in output


def make_venv(root: Path, run: Run, log: Path) -> None:
    """Create ``.venv`` anew."""
    status, output = run([sys.executable, "-m", "venv", "--clear", str(root / ".venv")], log)
    if status:
        raise SetupError(explain(output, log, "this Python could not create a virtual environment"))


def install(root: Path, run: Run, log: Path) -> None:
    """Install the workbench, editable, with the versions of ``constraints.txt``."""
    pip = [python(root), "-m", "pip", "install", "--disable-pip-version-check"]
    wanted = ["-c", str(root / "constraints.txt"), "-e", f"{root}[dev]"]
    status, output = run([*pip, *wanted], log)
    if status:
        raise SetupError(explain(output, log, "pip could not install the packages"))


def works(root: Path, run: Run, log: Path) -> bool:
    """Whether what was installed can be imported; a cut-off install may look complete to pip."""
    imports = "import torch, torchvision, pandas, matplotlib, ipywidgets, nbclient, pytest, mfa"
    return run([python(root), "-P", "-c", imports], log)[0] == 0


CAUSES = (
    (
        r"No space left on device|Disk quota exceeded|Errno 28",
        "the disk is full; make room, then run the same command again",
    ),
    (
        r"ensurepip is not available|No module named '?(venv|ensurepip)",
        "this Python lacks its venv module; on Debian or Ubuntu: apt install python3-venv",
    ),
    (
        r"name resolution|NameResolutionError|getaddrinfo|Failed to establish a new connection"
        r"|Network is unreachable|Connection refused|ConnectTimeout|ReadTimeout|timed out"
        r"|Cannot connect to proxy|\(from versions: none\)",
        "pip cannot reach the package index; check the network (or pip's proxy settings), then run "
        "the same command again",
    ),
)
"""What pip and venv print, and what it means for the user; the first match counts."""


def explain(output: str, log: Path, otherwise: str) -> str:
    """One sentence for a failed command, with the place of the whole log."""
    for pattern, sentence in CAUSES:
        if re.search(pattern, output):
            return f"{sentence} (log: {log})"
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    said = f": {errors[0][:200]}" if errors else ""
    return f"{otherwise}{said} (log: {log})"


def set_up(root: Path, run: Run = run, free: Callable[[Path], int] = free_bytes) -> None:
    """Bring ``.venv`` to what ``pyproject.toml`` and ``constraints.txt`` ask for.

    Raises:
        SetupError: it cannot be done; the message says why and what to do.
    """
    if ready(root):
        return
    log = root / ".venv-setup.log"
    log.write_text("")
    check_disk(root, free)
    stamp(root).unlink(missing_ok=True)
    started = time.monotonic()
    if usable(root, run, log):
        print("Bringing .venv to what pyproject.toml and constraints.txt ask for ...", flush=True)
    else:
        print("Setting up .venv (once; 3 to 10 minutes, mostly downloads) ...", flush=True)
        make_venv(root, run, log)
    install(root, run, log)
    if not works(root, run, log):
        make_venv(root, run, log)
        install(root, run, log)
        if not works(root, run, log):
            raise SetupError(f"the packages were installed but cannot be imported (log: {log})")
    stamp(root).write_text(key(root))
    log.unlink()
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


def main(arguments: Sequence[str]) -> int:
    """``--ready`` only asks whether there is something to do (status 1); else do it."""
    if "--ready" in arguments:
        return 0 if ready(ROOT) else 1
    try:
        set_up(ROOT)
    except SetupError as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: set-up cannot write its files: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
