"""`make test`: Rust tests of the core, the unit lane on the machine's other CPythons, then every lane on .venv's."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tools import dev, system
from tools.environments import ROOT, environment, interpreters
from tools.project import pyproject

WHEELS = ROOT / "build" / "wheels"
RUNNING = ROOT / "build" / "running-test"
Version = tuple[int, int]


def main() -> int:
    if problems := system.missing(system.TEST_TOOLS):
        # Outside CI, the lanes that need them say so test by test and the others still run.
        print(problems, file=sys.stderr, flush=True)
        if os.environ.get("CI"):
            return 1
    if chosen := sys.argv[1:]:
        return 1 if dev.run_steps([("chosen tests", functools.partial(pytest, *chosen))]) else 0
    own = sys.version_info[:2]
    others = {version: path for version, path in interpreters().items() if version != own}
    failed = dev.run_steps(
        [
            ("Rust tests of the core", rust_tests),
            *(
                (f"unit lane on Python {version[0]}.{version[1]}", functools.partial(unit_lane, version, python))
                for version, python in others.items()
            ),
            ("every lane on Python {}.{}".format(*own), functools.partial(pytest, "--require-lanes=all")),
        ]
    )
    for name in failed:
        print(f"failed: {name}", file=sys.stderr)
    return 1 if failed else 0


def rust_tests() -> None:
    # The release profile: librdkafka is built once for these and for the native module.
    dev.subprocess_or_raise(["cargo", "test", "--release", "--locked", "--quiet", "-p", "ferrokafka-core"])


def pytest(*arguments: str) -> None:
    """Run pytest on .venv. Raises RuntimeError, with the test that was under way if the run ended in the middle."""
    RUNNING.unlink(missing_ok=True)
    try:
        dev.subprocess_or_raise(
            [str(dev.PYTHON), "-m", "pytest", *arguments], {"FERROKAFKA_RUNNING_TEST": str(RUNNING)}
        )
    except RuntimeError as error:
        if not RUNNING.exists():
            raise
        raise RuntimeError(f"{error} in the middle of {RUNNING.read_text(encoding='utf-8')}") from error


def unit_lane(version: Version, python: Path) -> None:
    """The unit lane in a cached environment of another interpreter, on the wheel as users would install it."""
    tester = environment("unit-{}.{}".format(*version), python, pyproject()["dependency-groups"]["unit"])
    packages = install_wheel(version, tester)
    command = [str(tester), "-m", "pytest", "-q", "--require-lanes=unit", "tests/unit"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(packages)}, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")


def install_wheel(version: Version, python: Path) -> Path:
    """Folder with the package built for ``python``, unpacked from a wheel; built again when a source has changed."""
    name = "{}.{}".format(*version)
    sources = sorted(path for path in (ROOT / "src").rglob("*") if path.is_file() and path.suffix in (".py", ".pyi"))
    contents = (part for path in sources for part in (str(path).encode(), path.read_bytes()))
    wanted = dev.digest([dev.native_digest(python).encode(), *contents])
    target = WHEELS / name / "site"
    if target.exists() and dev.stamp(f"wheel-{name}") == wanted:
        return target
    shutil.rmtree(WHEELS / name, ignore_errors=True)
    dev.subprocess_or_raise(
        [str(dev.VENV / "bin" / "maturin"), "build", "--release", "-i", str(python),
         "-o", str(WHEELS / name)]
    )  # fmt: skip
    (wheel,) = (WHEELS / name).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    dev.stamp(f"wheel-{name}", wanted)
    return target


if __name__ == "__main__":
    sys.exit(main())
