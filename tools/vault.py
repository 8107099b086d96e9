# SPDX-License-Identifier: Apache-2.0
"""`python -m tools.vault`: builds a small real Vault for the tests of its driver, once, into the user's cache.

It takes minutes of a processor and a gigabyte of disk, so that nothing builds it but this command. Where it is there,
tests/mock/test_vault.py runs on it as well. ``FERROKAFKA_VAULT`` names a binary that is somewhere else.

Vault's module comes from the Go module proxy. It is written against versions of its own ``sdk`` and ``api`` that are
no releases; three lines make it fit those that are. Vault is under the Business Source License: for tests only, never
shipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.environments import ROOT, cache_dir, locked

SOURCES = ROOT / "tests" / "support" / "vault_server"
MODULE = "github.com/hashicorp/vault"
BUILD_DEADLINE_S = 3600
# File, what it says for the sdk of its repository, and for the one that is released
FITTING = (
    (
        "vault/identity_store_util.go",
        ") activateDeduplication(ctx context.Context, req *logical.Request) error",
        ") activateDeduplication(ctx context.Context, req *logical.Request, _ string) error",
    ),
    ("vault/logical_system_activation_flags.go", "ActivationFunc(ctx, nil)", 'ActivationFunc(ctx, nil, "")'),
    (
        "builtin/logical/transit/path_restore.go",
        "restoredKeyName, err := b.lm.RestorePolicy(ctx, req.Storage, keyName, backupB64, force)",
        "err := b.lm.RestorePolicy(ctx, req.Storage, keyName, backupB64, force)\n\trestoredKeyName := keyName",
    ),
)


def version() -> str:
    """The version of Vault, for example ``v1.21.4``."""
    found = re.search(rf"^require {re.escape(MODULE)} (\S+)$", (SOURCES / "go.mod").read_text(), re.MULTILINE)
    assert found is not None, f"{SOURCES / 'go.mod'} does not require {MODULE}"
    return found[1]


def binary() -> Path | None:
    """The Vault that was built, or that ``FERROKAFKA_VAULT`` names; None when there is none."""
    named = os.environ.get("FERROKAFKA_VAULT")
    if named is not None:
        return Path(named)
    built = _target()
    return built if built.exists() else None


def _target() -> Path:
    return cache_dir() / f"vault-{version()}" / "vault_server"


def build(jobs: int) -> Path:
    """Build it if it is not there.

    Args:
        jobs: how many compilers may run at a time.
    Raises:
        subprocess.CalledProcessError: go failed; it has said why.
    """
    target = _target()
    target.parent.mkdir(exist_ok=True)
    with locked(target.parent / "lock"):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                made = _compile(Path(scratch), jobs)
                made.replace(target)
    return target


def _compile(scratch: Path, jobs: int) -> Path:
    for name in ("go.mod", "main.go"):
        shutil.copy(SOURCES / name, scratch)
    answer = _go(scratch, "mod", "download", "-json", f"{MODULE}@{version()}", output=True)
    copy = scratch / "vault"
    shutil.copytree(json.loads(answer)["Dir"], copy)
    for name, old, new in FITTING:
        path = copy / name
        text = path.read_text()
        assert text.count(old) == 1, f"{name} of Vault {version()} does not say {old!r}: FITTING is for another version"
        path.chmod(0o644)
        path.write_text(text.replace(old, new))
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)  # read-only in Go's cache, which would keep them from being removed
    _go(scratch, "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", f"-p={jobs}", "-o", "vault_server", ".")
    return scratch / "vault_server"


def _go(folder: Path, *arguments: str, output: bool = False) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=folder, env={**os.environ, "GOWORK": "off", "CGO_ENABLED": "0"}, check=True,
        timeout=BUILD_DEADLINE_S, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if output else None,
    )  # fmt: skip
    return done.stdout or ""


def main() -> int:
    if shutil.which("go") is None:
        print("no go: install it (https://go.dev/dl, 1.25.3 or newer)", file=sys.stderr)
        return 1
    if (there := binary()) is None:
        print(f"building Vault {version()}, which takes minutes", flush=True)
        start = time.monotonic()
        there = build(max(1, (os.cpu_count() or 2) // 2))
        print(f"built in {time.monotonic() - start:.0f} s")
    print(there)
    return 0


if __name__ == "__main__":
    sys.exit(main())
