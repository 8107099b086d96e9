# SPDX-License-Identifier: Apache-2.0
"""``schemas keys`` and ``schemas rotate``: the keys of client-side encryption in a registry."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry.error import RuleError, SchemaRegistryError

from ._admin import print_json, property_of, show
from ._errors import OK, CommandError
from ._registry_client import registry

if TYPE_CHECKING:
    from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekRegistryClient

ALGORITHMS = ("AES256_GCM", "AES128_GCM", "AES256_SIV")
COLUMNS = ("kek", "kms", "key_id", "shared", "subject", "algorithm", "version", "created", "deleted")


def add_keys_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kek", nargs="?", metavar="KEK", help="only this key encryption key")
    parser.add_argument("--deleted", action="store_true", help="also deleted keys")


def add_rotate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kek", metavar="KEK", help="the key encryption key that wraps the new data key")
    parser.add_argument("subject", metavar="SUBJECT", help="whose data it is for")
    parser.add_argument("--algorithm", choices=ALGORITHMS, default=ALGORITHMS[0], help="how it encrypts (%(default)s)")
    parser.add_argument(
        "--kms",
        dest="kms",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=property_of,
        help="a property for the key management system, for example --kms token.id=...; repeatable",
    )


def run_keys(arguments: argparse.Namespace) -> int:
    from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekRegistryClient

    rows: list[tuple[Any, ...]] = []
    with registry(arguments) as client, DekRegistryClient(client.config()) as keys:
        names = [arguments.kek] if arguments.kek else keys.get_keks(deleted=arguments.deleted)
        for name in names:
            kek = keys.get_kek(name, deleted=arguments.deleted)
            start = (kek.name, kek.kms_type, kek.kms_key_id, bool(kek.shared))
            deks = _deks(keys, name, arguments.deleted)
            rows += [(*start, *dek) for dek in deks] or [(*start, None, None, None, _day(kek.ts), bool(kek.deleted))]
    show(arguments, COLUMNS, rows)
    return OK


def _deks(keys: DekRegistryClient, name: str, deleted: bool) -> list[tuple[Any, ...]]:
    from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekAlgorithm

    found = []
    for subject in keys.get_deks(name, deleted=deleted):
        for algorithm in DekAlgorithm:
            try:
                versions = keys.get_dek_versions(name, subject, algorithm, deleted=deleted)
            except SchemaRegistryError as e:
                if e.http_status_code != 404:
                    raise
                continue  # none of this kind
            for version in versions:
                dek = keys.get_dek(name, subject, algorithm, version, deleted=deleted)
                found.append((subject, algorithm.value, version, _day(dek.ts), bool(dek.deleted)))
    return found


def _day(ts: int | None) -> str | None:
    return None if ts is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ts / 1000))


def run_rotate(arguments: argparse.Namespace) -> int:
    try:
        from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import rotate
    except ImportError as error:
        raise CommandError(str(error)) from error
    _register_drivers()
    with registry(arguments) as client:
        try:
            dek = rotate(client.config(), dict(arguments.kms), arguments.kek, arguments.subject, arguments.algorithm)
        except RuleError as error:
            raise CommandError(str(error)) from error
    if arguments.json:
        print_json(
            {"kek": dek.kek_name, "subject": dek.subject, "version": dek.version, "algorithm": arguments.algorithm}
        )
    else:
        print(f"data key version {dek.version} of {dek.subject} under {dek.kek_name}")
    return OK


def decrypting_rules() -> Any:
    """Return a rule registry that decrypts. Raises: CommandError: cryptography is not installed."""
    try:
        from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
            EncryptionExecutor,
            FieldEncryptionExecutor,
        )
    except ImportError as error:
        raise CommandError(str(error)) from error
    from confluent_kafka.schema_registry.rule_registry import RuleRegistry

    _register_drivers()
    rules = RuleRegistry()
    rules.register_executor(FieldEncryptionExecutor())
    rules.register_executor(EncryptionExecutor())
    return rules


def _register_drivers() -> None:
    from confluent_kafka.schema_registry.rules.encryption.awskms.aws_driver import AwsKmsDriver
    from confluent_kafka.schema_registry.rules.encryption.azurekms.azure_driver import AzureKmsDriver
    from confluent_kafka.schema_registry.rules.encryption.gcpkms.gcp_driver import GcpKmsDriver
    from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_driver import HcVaultKmsDriver
    from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver

    for driver in (AwsKmsDriver, AzureKmsDriver, GcpKmsDriver, HcVaultKmsDriver, LocalKmsDriver):
        driver.register()
