"""Python interpreters of this machine, and cached virtual environments made from them. Standard library only."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13))
PROBE_DEADLINE_S = 30
INSTALL_DEADLINE_S = 900


def cache_dir() -> Path:
    """The project's folder in the user's cache, made if it is not there."""
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ferrokafka"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` among processes; it goes with the process, however that ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def interpreters() -> dict[tuple[int, int], Path]:
    """CPython executables of the supported versions: those on PATH, then pyenv's; by version, oldest first."""
    found = {version: path for version in SUPPORTED if (path := _interpreter(version)) is not None}
    return dict(sorted(found.items()))


def _interpreter(version: tuple[int, int]) -> Path | None:
    name = f"python{version[0]}.{version[1]}"
    on_path = [str(Path(folder) / name) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [*on_path, *(str(path) for path in sorted(pyenv.glob(f"*/bin/{name}")))]
    question = (
        "import ensurepip, sys, sysconfig; assert sys.implementation.name == 'cpython'; "
        "print(*sys.version_info[:2], bool(sysconfig.get_config_var('Py_GIL_DISABLED')), sys._base_executable)"
    )
    for candidate in candidates:
        if not os.access(candidate, os.X_OK):
            continue
        try:
            answer = subprocess.run(
                [candidate, "-I", "-c", question], capture_output=True, text=True, timeout=PROBE_DEADLINE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        # A pyenv shim of a version that is not switched on fails here.
        match = re.fullmatch(r"(\d+) (\d+) False (.+)\n", answer.stdout)
        if answer.returncode == 0 and match and (int(match[1]), int(match[2])) == version:
            return Path(match[3])
    return None


def environment(name: str, python: Path, requirements: Sequence[str]) -> Path:
    """Python of a virtual environment in the user's cache with the requirements installed; made at the first call.

    The folder's name has a digest of interpreter and requirements: other requirements are another environment.
    Raises: RuntimeError with pip's output when it fails.
    """
    wanted = "\n".join([str(python), *requirements])
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:10]
    parent = cache_dir() / "environments"
    parent.mkdir(exist_ok=True)
    target = parent / f"{name}-{digest}"
    executable, ready = target / "bin" / "python", target / "ready"
    with locked(parent / f"{target.name}.lock"):
        if ready.exists() and executable.exists():
            return executable
        # A virtual environment cannot be moved once made, so it becomes valid by its mark, not by a rename.
        shutil.rmtree(target, ignore_errors=True)
        run_quietly([str(python), "-m", "venv", str(target)])
        pip_install(executable, requirements)
        ready.touch()
    return executable


def pip_install(python: Path, requirements: Sequence[str]) -> None:
    """Install by pip, quietly. Raises RuntimeError with pip's output."""
    run_quietly([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements])


def run_quietly(command: Sequence[str], **environment: str) -> None:
    """Run a command, showing its output only when it fails. Raises RuntimeError."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, timeout=INSTALL_DEADLINE_S, check=False,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode != 0:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{output.read()}")
