#!/bin/sh
# Runs its arguments with a Python that can make virtual environments: the first suitable one of this machine.
# The environment's own Python goes first, so that a checkout keeps the version it was made with.
set -eu
for candidate in "$(dirname "$0")/../.venv/bin/python" python3 python3.13 python3.12 python3.11 python3.10 \
    "$HOME"/.pyenv/versions/3.1[0-3].*/bin/python3; do
    if "$candidate" -I -c 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
        >/dev/null 2>&1; then
        exec "$candidate" "$@"
    fi
done
cat >&2 <<'MISSING'
No Python 3.10 to 3.14 with the venv module was found. To install one:
  Debian/Ubuntu: apt-get install python3 python3-venv
  Fedora:        dnf install python3
  macOS:         brew install python
MISSING
exit 1
