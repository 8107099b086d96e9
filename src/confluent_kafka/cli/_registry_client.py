# SPDX-License-Identifier: Apache-2.0
"""The registry client of a command: its configuration, and its errors as the command line's."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry._core.client_config import OPTIONS
from confluent_kafka.schema_registry.error import OAuthTokenError

from ._errors import CommandError, UsageError
from ._settings import add_property_options, read_properties

PREFIX = "SCHEMA_REGISTRY_"
NO_URL = (
    "no registry given: use --schema-registry URL, or set SCHEMA_REGISTRY_URL "
    "(to try it without one, run the command 'registry' in another terminal)"
)


def add_registry_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that talks to a registry."""
    group = parser.add_argument_group(
        "connection",
        "Every SCHEMA_REGISTRY_* environment variable is a property of the client: "
        "SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO is basic.auth.user.info.",
    )
    group.add_argument(
        "--schema-registry", metavar="URL[,...]", help="the registry's address (default: SCHEMA_REGISTRY_URL)"
    )
    add_property_options(group, "a property of the registry client, for example -X ssl.ca.location=ca.pem")


def environment_settings(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the properties that the environment has. Raises: UsageError: a value is impossible."""
    variables = os.environ if environ is None else environ
    named = {name: variables.get(PREFIX + name.upper().replace(".", "_")) for name in OPTIONS}
    return {name: _typed(name, value) for name, value in named.items() if value}


def registry_settings(arguments: argparse.Namespace, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the client's configuration: environment, then --config, then -X, then --schema-registry and --timeout.

    Raises: UsageError: no address, a property is unknown or its value is impossible.
    """
    settings = environment_settings(environ)
    if arguments.config:
        settings.update(read_properties(arguments.config))
    settings.update(arguments.properties)
    if arguments.schema_registry:
        settings["url"] = arguments.schema_registry
    if arguments.timeout is not None:
        settings["timeout"] = arguments.timeout
    if not settings.get("url"):
        raise UsageError(NO_URL)
    return {name: _typed(name, value) for name, value in settings.items()}


def _typed(name: str, value: Any) -> Any:
    """Make a number of a text where the client wants one."""
    option = OPTIONS.get(name)
    if not isinstance(value, str) or option is None:
        return value
    if float in option.kinds:
        try:
            return float(value)
        except ValueError:
            raise UsageError(f"{name} must be a number") from None
    return False if bool in option.kinds and value.lower() == "false" else value


@contextmanager
def registry(arguments: argparse.Namespace) -> Iterator[SchemaRegistryClient]:
    """Give a client by a command's options; what the registry refuses ends the command with its text.

    Raises: UsageError: the configuration is wrong; CommandError: the registry refuses, or does not answer.
    """
    settings = registry_settings(arguments)
    try:
        client = SchemaRegistryClient(settings)
    except (TypeError, ValueError, ImportError) as error:
        raise UsageError(str(error)) from error
    with client:
        try:
            yield client
        except SchemaRegistryError as error:
            raise CommandError(f"{error.error_message} (HTTP {error.http_status_code}, {error.error_code})") from error
        except OAuthTokenError as error:
            raise CommandError(error.message) from error
        except ImportError as error:
            raise CommandError(str(error)) from error
        except Exception as error:
            if not _is_transport_error(error):
                raise
            # not the URL as it was given: there may be a password in it
            raise CommandError(f"the registry does not answer: {type(error).__name__}: {error}") from error


def _is_transport_error(error: Exception) -> bool:
    return any(kind.__name__ == "TransportError" for kind in type(error).__mro__)
