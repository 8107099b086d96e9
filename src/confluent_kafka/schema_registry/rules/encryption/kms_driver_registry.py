# SPDX-License-Identifier: Apache-2.0
"""Which driver is for which key management system.

A driver makes clients, a client gives a key (``get_aead``), a key wraps and unwraps (``encrypt``, ``decrypt``).
"""

from __future__ import annotations

import abc
import os
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.encryption._kms import Aead, KmsClient

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = "encrypt.kms.timeout.sec"
DEFAULT_TIMEOUT_SEC = 10.0
ATTEMPTS = 3

__all__ = ["Aead", "KmsClient", "KmsDriver", "get_kms_driver", "register_kms_driver", "reset_kms_drivers"]


class KmsDriver(abc.ABC):
    """Makes clients of one kind of key management system."""

    @abc.abstractmethod
    def get_key_url_prefix(self) -> str:
        """Return what the URLs of its keys begin with, for example ``aws-kms://``."""

    @abc.abstractmethod
    def new_kms_client(self, conf: dict[str, Any], key_url: str | None) -> KmsClient:
        """Make a client.

        Args:
            conf: ``rule_conf`` of the (de)serializer, and above it the properties of the key encryption key.
            key_url: the key it is for.
        """


def timeout_of(conf: Mapping[str, Any]) -> float:
    """Return the seconds that one request to a key management system may take: ``encrypt.kms.timeout.sec``, 10.

    Raises:
        RuleError: it is no positive number.
    """
    value = conf.get(TIMEOUT, DEFAULT_TIMEOUT_SEC)
    try:
        seconds = float(value)
    except (TypeError, ValueError) as e:
        raise RuleError(f"{TIMEOUT} must be a number of seconds") from e
    if not seconds > 0:
        raise RuleError(f"{TIMEOUT} must be more than 0 seconds")
    return seconds


def setting(conf: Mapping[str, Any], name: str, variable: str | None = None) -> Any:
    """Return a property, else the environment variable for it, else None."""
    value = conf.get(name)
    return os.environ.get(variable) if value is None and variable is not None else value


def key_id_of(key_url: str, prefix: str) -> str:
    """Return a key's id, which is what follows the prefix in its URL."""
    if not key_url.startswith(prefix):
        raise RuleError(f"invalid key URL {key_url}: it must begin with {prefix}")
    return key_url[len(prefix) :]


_drivers: list[KmsDriver] = []


def register_kms_driver(driver: KmsDriver) -> None:
    """Have a driver be used for the keys whose URLs begin with its prefix; the first one registered counts."""
    same = (type(driver), driver.get_key_url_prefix(), vars(driver))
    if not any((type(known), known.get_key_url_prefix(), vars(known)) == same for known in _drivers):
        _drivers.append(driver)


def get_kms_driver(key_url: str) -> KmsDriver:
    """Return the driver for a key.

    Raises:
        RuleError: there is none.
    """
    for driver in _drivers:
        if key_url.startswith(driver.get_key_url_prefix()):
            return driver
    known = ", ".join(dict.fromkeys(driver.get_key_url_prefix() for driver in _drivers)) or "none"
    raise RuleError(
        f"no KMS driver found for key URL: {key_url} (registered: {known}); call register() of its driver class, for "
        "example AwsKmsDriver.register()"
    )


def reset_kms_drivers() -> None:
    """Forget all drivers."""
    _drivers.clear()
