# SPDX-License-Identifier: Apache-2.0
"""``schemas``: what a Schema Registry has, and what it should."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from confluent_kafka.schema_registry import RegisteredSchema, Schema, SchemaReference, SchemaRegistryClient

from ._admin import Group, confirm, print_json, show
from ._errors import FAILED, OK, CommandError, UsageError
from ._keys import add_keys_options, add_rotate_options, run_keys, run_rotate
from ._registry_client import add_registry_options, registry
from ._terminal import say

EPILOG = """\
examples:
  %(prog)s list
  %(prog)s show orders-value --version 2
  %(prog)s register orders-value order.avsc
  %(prog)s check orders-value order.avsc
  %(prog)s diff orders-value
  %(prog)s delete orders-value --yes
  %(prog)s keys
  %(prog)s rotate orders orders-value --kms secret=...
"""
TYPES = ("AVRO", "JSON", "PROTOBUF")
_SUFFIXES = {".avsc": "AVRO", ".json": "JSON", ".proto": "PROTOBUF"}
Version = int | Literal["latest"]


def add_parser(commands: Any) -> None:
    group = Group(commands, "schemas", "list, show, register, compare and delete schemas", EPILOG)

    def action(name: str, help: str, run: Any, *, asks: bool = False) -> argparse.ArgumentParser:
        return group.action(
            name, help, run, asks=asks, connect=add_registry_options, timeout=(None, "the registry's answer (5)")
        )

    parser = action("list", "list subjects with their latest versions", run_list)
    parser.add_argument("prefix", nargs="?", metavar="PREFIX", help="only subjects that begin with it")
    parser.add_argument("--deleted", action="store_true", help="also deleted subjects and versions")

    parser = action("show", "print a schema", run_show)
    parser.add_argument("subject", nargs="?", metavar="SUBJECT")
    parser.add_argument(
        "--version", dest="number", type=_version, default="latest", metavar="N", help="its number (the latest)"
    )
    parser.add_argument("--id", type=int, metavar="ID", help="the schema with this id instead")
    parser.add_argument("--deleted", action="store_true", help="also if it is deleted")

    parser = action("register", "register a schema under a subject", run_register)
    _add_schema_options(parser)

    parser = action("check", "tell whether a schema may be registered; exit code 1 when it may not", run_check)
    _add_schema_options(parser)
    parser.add_argument(
        "--version",
        dest="number",
        type=_version,
        metavar="N",
        help="compare with this one, or 'latest' (all that the subject's level asks for)",
    )

    parser = action("diff", "show what changed between two versions", run_diff)
    parser.add_argument("subject", metavar="SUBJECT")
    parser.add_argument("--from", dest="older", type=int, metavar="N", help="the older one (the one before --to)")
    parser.add_argument("--to", dest="newer", type=int, metavar="N", help="the newer one (the latest)")

    parser = action("delete", "delete a subject, or one version of it", run_delete, asks=True)
    parser.add_argument("subject", metavar="SUBJECT")
    parser.add_argument("--version", dest="number", type=_version, metavar="N", help="only this version")
    parser.add_argument(
        "--permanent", action="store_true", help="for good: messages written with it can no longer be read"
    )

    add_keys_options(action("keys", "list the keys of client-side encryption", run_keys))
    add_rotate_options(
        action(
            "rotate", "make a new data key, for rules with encrypt.dek.expiry.days; old data stays readable", run_rotate
        )
    )


def _add_schema_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="SUBJECT")
    parser.add_argument("file", metavar="FILE", help="the schema; - reads standard input")
    parser.add_argument(
        "--type", choices=TYPES, type=str.upper, help="by default from the suffix: .avsc, .json, .proto; else AVRO"
    )
    parser.add_argument(
        "--reference",
        dest="references",
        action="append",
        default=[],
        type=parse_reference,
        metavar="NAME=SUBJECT:VERSION",
        help="a schema that it uses; repeatable",
    )
    parser.add_argument("--normalize", action="store_true", help="in a normal form")


def _version(text: str) -> Version:
    if text == "latest":
        return "latest"
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number or 'latest', got {text!r}")
    return int(text)


def parse_reference(text: str) -> SchemaReference:
    """``name=subject:version``."""
    name, separator, rest = text.partition("=")
    subject, colon, version = rest.rpartition(":")
    if not (separator and colon and name and subject and version.isdigit()):
        raise argparse.ArgumentTypeError(f"expected NAME=SUBJECT:VERSION, got {text!r}")
    return SchemaReference(name, subject, int(version))


def _schema(arguments: argparse.Namespace) -> Schema:
    try:
        if arguments.file == "-":
            text = sys.stdin.buffer.read().decode()
        else:
            text = Path(arguments.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{arguments.file}: {error}") from error
    kind = arguments.type or _SUFFIXES.get(Path(arguments.file).suffix.lower(), "AVRO")
    return Schema(text, kind, arguments.references)


def run_list(arguments: argparse.Namespace) -> int:
    with registry(arguments) as client:
        rows = []
        for subject in client.get_subjects(arguments.prefix, deleted=arguments.deleted):
            versions = client.get_versions(subject, deleted=arguments.deleted)
            latest = client.get_version(subject, max(versions), deleted=arguments.deleted)
            rows.append((subject, latest.version, len(versions), latest.schema_id, latest.schema.schema_type))
    show(arguments, ("subject", "version", "versions", "id", "type"), rows)
    return OK


def run_show(arguments: argparse.Namespace) -> int:
    if (arguments.subject is None) == (arguments.id is None):
        raise UsageError("name a SUBJECT, or a schema by --id")
    with registry(arguments) as client:
        if arguments.id is not None:
            schema = client.get_schema(arguments.id)
            described = {"id": arguments.id, **schema.to_dict()}
        else:
            found = client.get_version(arguments.subject, arguments.number, deleted=arguments.deleted)
            schema, described = found.schema, found.to_dict()
    if arguments.json:
        print_json(described)
    else:
        print(readable(schema))
    return OK


def run_register(arguments: argparse.Namespace) -> int:
    schema = _schema(arguments)
    with registry(arguments) as client:
        client.register_schema(arguments.subject, schema, arguments.normalize)
        found = client.lookup_schema(arguments.subject, schema, arguments.normalize)
    if arguments.json:
        names = ("subject", "version", "id", "guid")
        print_json({name: value for name, value in found.to_dict().items() if name in names})
    else:
        print(f"{found.subject} version {found.version}, id {found.schema_id}")
    return OK


def run_check(arguments: argparse.Namespace) -> int:
    schema = _schema(arguments)
    version = "" if arguments.number is None else f"/{arguments.number}"
    path = f"compatibility/subjects/{quote(arguments.subject, safe='')}/versions{version}"
    query = {"verbose": True, "normalize": arguments.normalize}
    with registry(arguments) as client:
        # the client's own method gives no reasons
        answer = client._rest_client.post(path, schema.to_dict(), query)
    compatible, messages = bool(answer["is_compatible"]), list(answer.get("messages") or ())
    if arguments.json:
        print_json({"compatible": compatible, "messages": messages})
    elif compatible:
        print("compatible")
    else:
        print("\n".join(["incompatible", *messages]))
    return OK if compatible else FAILED


def run_diff(arguments: argparse.Namespace) -> int:
    with registry(arguments) as client:
        older, newer = _pair(client, arguments)
    old, new = (_contract(item).splitlines() for item in (older, newer))
    names = [f"{item.subject} version {item.version}" for item in (older, newer)]
    lines = list(difflib.unified_diff(old, new, names[0], names[1], lineterm=""))
    if arguments.json:
        print_json({"from": older.version, "to": newer.version, "diff": lines})
    elif lines:
        print("\n".join(lines))
    else:
        say("no difference")
    return OK


def _pair(client: SchemaRegistryClient, arguments: argparse.Namespace) -> tuple[RegisteredSchema, RegisteredSchema]:
    versions = client.get_versions(arguments.subject)
    newer = arguments.newer or max(versions)
    older = arguments.older or max((version for version in versions if version < newer), default=None)
    if older is None:
        raise CommandError(f"{arguments.subject} has no version before {newer}")
    return client.get_version(arguments.subject, older), client.get_version(arguments.subject, newer)


def _contract(item: RegisteredSchema) -> str:
    """A schema with its references, metadata and rules, as far as there are any."""
    described = item.schema.to_dict()
    rest = {name: described[name] for name in ("references", "metadata", "ruleSet") if described.get(name)}
    return readable(item.schema) + ("\n" + json.dumps(rest, indent=2, ensure_ascii=False) if rest else "")


def readable(schema: Schema) -> str:
    """A schema's text, indented if it is JSON."""
    text = schema.schema_str or ""
    if schema.schema_type == "PROTOBUF":
        return text.rstrip()
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def run_delete(arguments: argparse.Namespace) -> int:
    what = arguments.subject + (f" version {arguments.number}" if arguments.number else "")
    with registry(arguments) as client:
        confirm(arguments, f"delete {what}{' for good' if arguments.permanent else ''}")
        if arguments.number is None:
            deleted = _delete_subject(client, arguments.subject, arguments.permanent)
        else:
            deleted = [_delete_version(client, arguments.subject, arguments.number, arguments.permanent)]
    show(arguments, ("deleted",), [(f"{arguments.subject} version {version}",) for version in deleted])
    return OK


def _delete_subject(client: SchemaRegistryClient, subject: str, permanent: bool) -> list[int]:
    if not permanent:
        return client.delete_subject(subject)
    # what is deleted for good has to be deleted before
    if subject in client.get_subjects(subject):
        client.delete_subject(subject)
    return client.delete_subject(subject, permanent=True)


def _delete_version(client: SchemaRegistryClient, subject: str, version: Version, permanent: bool) -> int:
    number = int(client.get_version(subject, version, deleted=permanent).version or 0)
    if not permanent or number in _live(client, subject):
        client.delete_version(subject, number)
    if permanent:
        client.delete_version(subject, number, permanent=True)
    return number


def _live(client: SchemaRegistryClient, subject: str) -> list[int]:
    return client.get_versions(subject) if subject in client.get_subjects(subject) else []
