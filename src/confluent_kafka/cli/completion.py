# SPDX-License-Identifier: Apache-2.0
"""``completion``: a script that teaches a shell our commands and options."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

EPILOG = """\
to use it in this shell and in new ones:
  bash   eval "$(ferrokafka completion bash)"            and the same line in ~/.bashrc
  zsh    eval "$(ferrokafka completion zsh)"             and the same line in ~/.zshrc, after compinit
  fish   ferrokafka completion fish | source             and the same line in ~/.config/fish/config.fish
"""
NAME = "ferrokafka"

BASH = """\
_ferrokafka() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} place="" n_place n
    for ((n = 1; n < COMP_CWORD && n < 3; n++)); do
        case "${{COMP_WORDS[n]}}" in -*) break ;; esac
        n_place="${{place:+$place/}}${{COMP_WORDS[n]}}"
        case " {places} " in *" $n_place "*) place=$n_place ;; *) break ;; esac
    done
    case "$place" in
{cases}
    esac
}}
complete -o default -F _ferrokafka ferrokafka
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "completion",
        help="print a completion script for bash, zsh or fish",
        description="Print a script that completes commands and options.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ._main import build_parser

    print(script(build_parser(NAME), arguments.shell), end="")
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The completion script of a command line for one shell."""
    places = dict(_walk(parser, ""))
    if shell == "fish":
        return "".join(_fish(places))
    cases = "\n".join(
        f'    "{place}") COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;' for place, words in places.items()
    )
    bash = BASH.format(places=" ".join(filter(None, places)), cases=cases)
    return f"autoload -U +X bashcompinit && bashcompinit\n{bash}" if shell == "zsh" else bash


def _walk(parser: argparse.ArgumentParser, place: str) -> Iterator[tuple[str, list[str]]]:
    """Each place of the command line (``topics/create``) and the words that may stand there."""
    words: list[str] = []
    below: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            below = dict(action.choices)
        elif action.help is not argparse.SUPPRESS:
            words += [option for option in action.option_strings if option.startswith("--")]
    yield place, [*below, *words]
    for name, child in below.items():
        yield from _walk(child, f"{place}/{name}" if place else name)


def _fish(places: dict[str, list[str]]) -> Iterator[str]:
    for place, words in places.items():
        seen = " and ".join(f"__fish_seen_subcommand_from {name}" for name in place.split("/") if name)
        here = f"{seen}; and not __fish_seen_subcommand_from {_names(words)}" if place and _names(words) else seen
        condition = f" -n '{(here or '__fish_use_subcommand').replace(' and ', '; and ')}'"
        for word in words:
            kind = f"-l {word[2:]}" if word.startswith("--") else f"-f -a {word}"
            yield f"complete -c {NAME}{condition} {kind}\n"


def _names(words: list[str]) -> str:
    return " ".join(word for word in words if not word.startswith("--"))
