# SPDX-License-Identifier: Apache-2.0
"""Functions that expressions of rules have beside CEL's own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlparse

from celpy import celtypes
from celpy.evaluation import CELEvalError

from confluent_kafka.schema_registry.rules.cel import string_format
from confluent_kafka.schema_registry.rules.cel.decimal_funcs import DECIMAL_FUNCS
from confluent_kafka.schema_registry.rules.cel.lazy_map import Record
from confluent_kafka.schema_registry.rules.cel.timestamp_funcs import TIMESTAMP_FUNCS
from confluent_kafka.schema_registry.rules.cel.variant_funcs import VARIANT_FUNCS

__all__ = [
    "EXTRA_FUNCS",
    "is_email",
    "is_hostname",
    "is_ipv4",
    "is_ipv6",
    "is_uri",
    "is_uri_ref",
    "is_uuid",
    "make_extra_funcs",
    "string_format",
    "validate_email",
    "validate_host_and_port",
    "validate_ip",
    "validate_port",
    "validate_uuid",
]

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def _validate_hostname(host: str) -> bool:
    """Whether a text is a host's name: at most 253 characters in labels of letters, digits and hyphens."""
    host = host.removesuffix(".")
    labels = host.split(".")
    return 0 < len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def validate_email(addr: str) -> bool:
    """Whether a text is an e-mail address, and no more than that."""
    if parseaddr(addr)[1] != addr or len(addr) > 254:
        return False
    local, at, host = addr.partition("@")
    return bool(at) and "@" not in host and len(local) <= 64 and _validate_hostname(host)


def validate_port(val: str) -> bool:
    """Whether a text is the number of a port."""
    try:
        return int(val) <= 65535
    except ValueError:
        return False


def validate_ip(val: str | bytes, version: int | None = None) -> bool:
    """Whether a text, or packed bytes, is an IP address; CELEvalError for a version that there is not."""
    kinds: dict[int | None, Callable[[Any], Any]] = {None: ip_address, 4: IPv4Address, 6: IPv6Address}
    if version not in kinds:
        raise CELEvalError("invalid argument, expected 4 or 6")
    try:
        kinds[version](val)
    except ValueError:
        return False
    return True


def validate_host_and_port(string: str, *, port_required: bool) -> bool:
    """Whether a text is a host, or an address (IPv6 in brackets), with a port."""
    if string.startswith("["):
        host, closed, rest = string[1:].partition("]")
        if not closed or not validate_ip(host, 6):
            return False
        return not port_required if not rest else rest[0] == ":" and validate_port(rest[1:])
    host, colon, port = string.rpartition(":")
    if not colon:
        return not port_required and (_validate_hostname(string) or validate_ip(string, 4))
    return (_validate_hostname(host) or validate_ip(host, 4)) and validate_port(port)


def validate_uuid(val: str) -> bool:
    """Whether a text is a UUID."""
    try:
        uuid.UUID(val)
    except ValueError:
        return False
    return True


def _text(value: Any) -> str:
    if not isinstance(value, celtypes.StringType):
        raise CELEvalError("invalid argument, expected string")
    return value


def _address(value: Any) -> Any:
    if not isinstance(value, (celtypes.BytesType, celtypes.StringType)):
        raise CELEvalError("invalid argument, expected string or bytes")
    return value


def is_ipv4(val: Any) -> Any:
    """Whether a value is an IPv4 address."""
    return celtypes.BoolType(validate_ip(_address(val), 4))


def is_ipv6(val: Any) -> Any:
    """Whether a value is an IPv6 address."""
    return celtypes.BoolType(validate_ip(_address(val), 6))


def is_email(string: Any) -> Any:
    """Whether a value is an e-mail address."""
    return celtypes.BoolType(validate_email(_text(string)))


def is_uri(string: Any) -> Any:
    """Whether a value is a URI with scheme, host and path."""
    url = urlparse(_text(string))
    return celtypes.BoolType(bool(url.scheme and url.netloc and url.path))


def is_uri_ref(string: Any) -> Any:
    """Whether a value is a URI or a reference relative to one; a fragment alone is not."""
    url = urlparse(_text(string))
    return celtypes.BoolType(bool(url.scheme and url.path) or not url.fragment)


def is_hostname(string: Any) -> Any:
    """Whether a value is a host's name."""
    return celtypes.BoolType(_validate_hostname(_text(string)))


def is_uuid(string: Any) -> Any:
    """Whether a value is a UUID."""
    return celtypes.BoolType(validate_uuid(_text(string)))


def _type(value: Any) -> Any:
    # how we keep a record is nobody's business: it is a map
    return celtypes.MapType if isinstance(value, Record) else celtypes.TypeType(value)


def make_extra_funcs(locale: str) -> dict[str, Callable[..., Any]]:
    """Return the functions by their names in expressions; a locale is without effect on what they do."""
    return {
        **TIMESTAMP_FUNCS,
        **DECIMAL_FUNCS,
        **VARIANT_FUNCS,
        "type": _type,
        "format": string_format.StringFormat(locale).format,
        "isEmail": is_email,
        "isHostname": is_hostname,
        "isIpv4": is_ipv4,
        "isIpv6": is_ipv6,
        "isUri": is_uri,
        "isUriRef": is_uri_ref,
        "isUuid": is_uuid,
    }


EXTRA_FUNCS = make_extra_funcs("en_US")
