# SPDX-License-Identifier: Apache-2.0
"""TLS as configured by ``ssl.*`` of a registry client."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.client_config import ClientConfig


def tls_context(config: ClientConfig) -> ssl.SSLContext | bool:
    """Return the context for HTTPS; True for the HTTP library's own, which looks at SSL_CERT_FILE and SSL_CERT_DIR.

    Raises:
        ValueError: a file is missing or not what it should be; the text names the property, never the password.
    """
    if config.ca is None and config.certificate is None:
        return True
    if config.ca is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif isinstance(config.ca, str):
        context = _with_authorities(config.ca)
    else:
        # the system's, which SSL_CERT_FILE and SSL_CERT_DIR replace
        context = ssl.create_default_context()
    if config.certificate is not None:
        # a password that is missing must not be asked for at the terminal
        password = config.key_password if config.key_password is not None else ""
        try:
            context.load_cert_chain(config.certificate, config.key, password)
        except (OSError, ValueError) as e:
            raise ValueError(
                f"ssl.certificate.location, ssl.key.location or ssl.key.password cannot be used: {_reason(e)}"
            ) from e
    return context


def _with_authorities(location: str) -> ssl.SSLContext:
    try:
        if os.path.isdir(location):
            return ssl.create_default_context(capath=location)
        return ssl.create_default_context(cafile=location)
    except (OSError, ValueError) as e:
        raise ValueError(f"ssl.ca.location {location} cannot be used: {_reason(e)}") from e


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
