# SPDX-License-Identifier: Apache-2.0
"""The two ways a command gives up; both are printed as one line, never as a traceback."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130


class CommandError(Exception):
    """The work could not be done; the text says what, where and what to try. Exit code 1."""

    exit_code = FAILED


class UsageError(CommandError):
    """The command was asked for something that cannot be: an option or property is wrong. Exit code 2."""

    exit_code = USAGE
