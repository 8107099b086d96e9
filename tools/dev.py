"""`make dev`: .venv with the development tools, and this checkout installed into it in place.

Each of the two steps leaves a stamp, a digest of what it depends on, and is left out while that has not changed:
Python sources are read where they lie, so only Rust sources and the build's own files lead to a build.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tools import system
from tools.environments import ROOT, locked, pip_install, run_quietly

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = ROOT / "build" / "stamps"
# The first pip that installs dependency groups.
PIP = "pip>=25.1"


def main() -> int:
    STAMPS.mkdir(parents=True, exist_ok=True)
    try:
        with locked(STAMPS / "lock"):
            make_environment()
            build_native()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make_environment() -> None:
    """Make .venv and install the `dev` group. Raises RuntimeError with what failed."""
    project = (ROOT / "pyproject.toml").read_bytes()
    wanted = digest([project, str(VENV).encode()])
    if PYTHON.exists() and stamp("environment") == wanted:
        return
    if not PYTHON.exists():
        say(f"making .venv with Python {sys.version.split()[0]}")
        run_quietly([getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)])
    say("installing the development tools into .venv")
    pip_install(PYTHON, ["--upgrade", PIP])
    pip_install(PYTHON, ["--group", "dev"])
    stamp("environment", wanted)


def build_native() -> None:
    """Build the native module and install the package in place. Raises RuntimeError with what failed."""
    wanted = native_digest(PYTHON)
    if stamp("native") == wanted and list((ROOT / "src" / "confluent_kafka").glob("_native*" + extension_suffix())):
        return
    require_build_tools()
    say("building the native module (about 5 minutes where librdkafka was not built before, else under one)")
    subprocess_or_raise([str(VENV / "bin" / "maturin"), "develop", "--release"])
    # What was built is what lay there before: a file saved meanwhile leads to another build next time.
    stamp("native", wanted)


def native_digest(python: Path) -> str:
    """Digest of everything that the native module is built from."""
    sources = [ROOT / "Cargo.toml", ROOT / "Cargo.lock", ROOT / "pyproject.toml"]
    sources += sorted(path for path in (ROOT / "rust").rglob("*") if path.is_file())
    names_and_contents = (part for path in sources for part in (str(path).encode(), path.read_bytes()))
    return digest([str(python.resolve()).encode(), *names_and_contents])


def require_build_tools() -> None:
    """Raises RuntimeError that names each missing tool and how to install it."""
    if problems := system.missing(system.BUILD_TOOLS):
        raise RuntimeError(problems)


def extension_suffix() -> str:
    """Ending of native modules of the running Python, such as ``.cpython-311-x86_64-linux-gnu.so``."""
    return str(sysconfig.get_config_var("EXT_SUFFIX"))


def digest(parts: Iterable[bytes]) -> str:
    """Digest of the parts and where each ends."""
    total = hashlib.sha256()
    for part in parts:
        total.update(b"%d\n" % len(part))
        total.update(part)
    return total.hexdigest()


def stamp(name: str, value: str | None = None) -> str:
    """The digest noted under ``name``, empty if none; with ``value``, note that one."""
    path = STAMPS / name
    if value is not None:
        path.write_text(value)
        return value
    return path.read_text() if path.exists() else ""


def subprocess_or_raise(command: list[str], variables: Mapping[str, str] | None = None) -> None:
    """Run a command in the checkout with .venv active, its output shown. Raises RuntimeError."""
    environment = {
        **os.environ,
        **(variables or {}),
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(VENV),
        # maturin runs pip, which would list every requirement that is there already.
        "PIP_QUIET": "1",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")


def run_steps(steps: Iterable[tuple[str, Callable[[], None]]]) -> list[str]:
    """Run every step, also after one that raises RuntimeError; returns the names of those."""
    failed = []
    for name, step in steps:
        say(name)
        try:
            step()
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            failed.append(name)
    return failed


def say(text: str) -> None:
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
