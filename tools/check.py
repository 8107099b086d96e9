"""`make check`: formatting, lint and types of both languages; every check runs, and each failed one is named."""

from __future__ import annotations

import functools
import sys

from tools import dev

BIN = dev.VENV / "bin"
CHECKS: dict[str, list[str]] = {
    "ruff format": [str(BIN / "ruff"), "format", "--check", "."],
    "ruff check": [str(BIN / "ruff"), "check", "."],
    "mypy": [str(BIN / "mypy")],
    "stubtest of the native module": [
        str(BIN / "stubtest"),
        "confluent_kafka._native",
        "--allowlist",
        "tools/stubtest-allowlist.txt",
    ],
    "cargo fmt": ["cargo", "fmt", "--all", "--check"],
    # The release profile shares librdkafka's build with the native module.
    "clippy": ["cargo", "clippy", "--release", "--locked", "--workspace", "--all-targets", "--quiet", "--", "-D",
               "warnings"],
}  # fmt: skip


def main() -> int:
    failed = dev.run_steps((name, functools.partial(dev.subprocess_or_raise, list(c))) for name, c in CHECKS.items())
    for name in failed:
        print(f"failed: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
