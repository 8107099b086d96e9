# SPDX-License-Identifier: Apache-2.0
"""Configuration of registry clients: one table of options, and what it is read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from confluent_kafka.schema_registry._core.options import check_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_TIMEOUT_S = 5.0
DEFAULT_IMDS_URL = "http://169.254.169.254/metadata/identity/oauth2/token"
SOURCES = ("OAUTHBEARER", "OAUTHBEARER_AZURE_IMDS", "STATIC_TOKEN", "CUSTOM")
_OAUTH = (
    "bearer.auth.client.id",
    "bearer.auth.client.secret",
    "bearer.auth.scope",
    "bearer.auth.issuer.endpoint.url",
)
_CUSTOM = ("bearer.auth.custom.provider.function", "bearer.auth.custom.provider.config")


class ClientOption(NamedTuple):
    """A default, what kinds of values there can be, and a check that returns what is wrong with one (or nothing)."""

    default: Any
    kinds: tuple[type, ...]
    named: str
    problem: Callable[[Any], str | None] = lambda value: None


def _not_negative(value: Any) -> str | None:
    return "must not be negative" if value < 0 else None


def _positive(value: Any) -> str | None:
    return None if value > 0 else "must be more than 0"


def _user_info(value: str) -> str | None:
    return None if ":" in value else "must be in the form of {username}:{password}"


def _ca(value: Any) -> str | None:
    return "must be a path, or False for no verification" if value is True else None


_STR = ((str,), "a str")
_NUMBER = ((int, float), "a number")

OPTIONS: dict[str, ClientOption] = {
    "url": ClientOption(None, *_STR),
    "ssl.ca.location": ClientOption(None, (str, bool), "a str", _ca),
    "ssl.certificate.location": ClientOption(None, *_STR),
    "ssl.key.location": ClientOption(None, *_STR),
    "ssl.key.password": ClientOption(None, (str, bytes), "a str"),
    "basic.auth.user.info": ClientOption(None, *_STR, _user_info),
    "proxy": ClientOption(None, *_STR),
    "timeout": ClientOption(DEFAULT_TIMEOUT_S, *_NUMBER, _positive),
    "cache.capacity": ClientOption(1000, *_NUMBER, _positive),
    "cache.latest.ttl.sec": ClientOption(None, *_NUMBER, _not_negative),
    "max.retries": ClientOption(3, *_NUMBER, _not_negative),
    "retries.wait.ms": ClientOption(1000, *_NUMBER, _not_negative),
    "retries.max.wait.ms": ClientOption(20000, *_NUMBER, _not_negative),
    "bearer.auth.credentials.source": ClientOption(None, *_STR),
    "bearer.auth.logical.cluster": ClientOption(None, *_STR),
    "bearer.auth.identity.pool.id": ClientOption(None, (str, list), "a str or a list of str"),
    "bearer.auth.token": ClientOption(None, *_STR),
    "bearer.auth.client.id": ClientOption(None, *_STR),
    "bearer.auth.client.secret": ClientOption(None, *_STR),
    "bearer.auth.scope": ClientOption(None, *_STR),
    "bearer.auth.issuer.endpoint.url": ClientOption(None, *_STR),
    "bearer.auth.issuer.endpoint.query": ClientOption(None, *_STR),
    "bearer.auth.custom.provider.function": ClientOption(None, (object,), "callable"),
    "bearer.auth.custom.provider.config": ClientOption(None, (dict,), "a dict"),
}
# These may be given as None, which then is not the default: no limit.
_NONE_COUNTS = ("timeout",)


@dataclass(frozen=True, slots=True)
class Bearer:
    """How to come by bearer tokens. ``options`` are those of the source, by the last parts of their names."""

    source: str
    logical_cluster: str | None
    identity_pool: str | None
    options: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """A client's configuration, read and checked. Its representation has no secrets.

    Args:
        urls: base URLs without user, password and trailing slash.
        shared: the registry in memory is that of the process, not of the client.
        basic: user and password.
        timeout: seconds for one attempt, None for no limit.
        capacity: entries in caches.
        latest_ttl: seconds that a latest version counts as such, None for ever.
        max_retries: further attempts at each URL.
        wait_ms, max_wait_ms: bounds of the pauses between them.
    """

    urls: tuple[str, ...]
    shared: bool
    basic: tuple[str, str] | None = field(repr=False)
    bearer: Bearer | None
    ca: str | bool | None
    certificate: str | None
    key: str | None = field(repr=False)
    key_password: str | bytes | None = field(repr=False)
    proxy: str | None = field(repr=False)
    timeout: float | None
    capacity: int
    latest_ttl: float | None
    max_retries: int
    wait_ms: float
    max_wait_ms: float

    @property
    def in_memory(self) -> bool:
        """Whether the registry is one in memory."""
        return self.urls[0].startswith("mock://")


def normalize_identity_pool(identity_pool_raw: str | list[str] | None) -> str | None:
    """Return the ids of identity pools, separated by commas.

    Raises:
        TypeError: they are neither a str nor a list of str.
    """
    if identity_pool_raw is None or isinstance(identity_pool_raw, str):
        return identity_pool_raw
    kind = type(identity_pool_raw).__name__
    if kind != "list":
        raise TypeError(f"bearer.auth.identity.pool.id must be a str or a list of str, not {kind}")
    others = {type(one).__name__ for one in identity_pool_raw} - {"str"}
    if others:
        raise TypeError(f"bearer.auth.identity.pool.id must be a list of str, not of {', '.join(sorted(others))}")
    return ",".join(identity_pool_raw)


def read_client_config(conf: Mapping[str, Any]) -> ClientConfig:
    """Read and check a configuration.

    Raises:
        TypeError: a value of the wrong type.
        ValueError: a value out of range, properties that contradict or lack each other, or unknown ones.
    """
    if not hasattr(conf, "get"):
        raise TypeError(f"expected a configuration dict, not {type(conf).__name__}")
    if conf.get("url") is None:
        raise ValueError("Missing required configuration property url")
    values = {name: _value(name, option, conf) for name, option in OPTIONS.items()}
    urls, user_info, shared = _urls(values["url"])
    basic = values["basic.auth.user.info"]
    if basic is not None:
        if user_info is not None:
            raise ValueError("basic.auth.user.info configured with userinfo credentials in the URL: use one of them")
        name, _, password = basic.partition(":")
        user_info = (name, password)
    if values["ssl.certificate.location"] is None and (
        values["ssl.key.location"] is not None or values["ssl.key.password"] is not None
    ):
        raise ValueError("ssl.certificate.location required when configuring ssl.key.location or ssl.key.password")
    bearer = _bearer(values)
    check_names(conf, OPTIONS)
    return ClientConfig(
        urls=urls,
        shared=shared,
        basic=user_info,
        bearer=bearer,
        ca=values["ssl.ca.location"],
        certificate=values["ssl.certificate.location"],
        key=values["ssl.key.location"],
        key_password=values["ssl.key.password"],
        proxy=values["proxy"],
        timeout=values["timeout"],
        capacity=max(1, int(values["cache.capacity"])),
        latest_ttl=values["cache.latest.ttl.sec"],
        max_retries=int(values["max.retries"]),
        wait_ms=values["retries.wait.ms"],
        max_wait_ms=values["retries.max.wait.ms"],
    )


def _value(name: str, option: ClientOption, conf: Mapping[str, Any]) -> Any:
    value = conf.get(name)
    if value is None:
        return None if name in conf and name in _NONE_COUNTS else option.default
    # a bool is an int, but no number of anything
    wrong_bool = isinstance(value, bool) and bool not in option.kinds and object not in option.kinds
    if wrong_bool or not isinstance(value, option.kinds):
        raise TypeError(f"{name} must be {option.named}, not {type(value).__name__}")
    problem = option.problem(value)
    if problem is not None:
        raise ValueError(f"{name} {problem}")
    return value


def _urls(text: str) -> tuple[tuple[str, ...], tuple[str, str] | None, bool]:
    urls: list[str] = []
    user_info: tuple[str, str] | None = None
    shared = False
    for one in text.split(","):
        url = one.strip().rstrip("/")
        if one.strip().startswith("mock://"):
            name, _, query = one.strip()[len("mock://") :].partition("?")
            shared = parse_qs(query).get("shared", ["false"])[-1].lower() == "true"
            urls.append("mock://" + name.rstrip("/"))
            continue
        if not url.startswith(("http", "mock")):
            # without what may be a user and a password
            raise ValueError(f"Invalid url {url.rpartition('@')[2]}")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as e:
            raise ValueError(f"Invalid url {url.rpartition('@')[2]}: {e}") from None
        if parts.scheme not in ("http", "https", "mock") or not parts.hostname:
            raise ValueError(f"Invalid url {url.rpartition('@')[2]}")
        if parts.username is not None and user_info is None:
            user_info = (unquote(parts.username), unquote(parts.password or ""))
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        place = host if port is None else f"{host}:{port}"
        urls.append(urlunsplit((parts.scheme, place, parts.path, "", "")).rstrip("/"))
    return tuple(dict.fromkeys(urls)), user_info, shared


def _bearer(values: Mapping[str, Any]) -> Bearer | None:
    source = values["bearer.auth.credentials.source"]
    if source is None:
        return None
    source = source.upper()
    if source not in SOURCES:
        raise ValueError(f"Unrecognized bearer.auth.credentials.source: it can be {', '.join(SOURCES)}")
    options = {name.removeprefix("bearer.auth."): value for name, value in values.items()}
    if source == "CUSTOM":
        missing = [name for name in _CUSTOM if values[name] is None]
        if missing:
            raise ValueError(f"Missing required custom OAuth configuration properties: {', '.join(missing)}")
        if not callable(values[_CUSTOM[0]]):
            raise TypeError(f"{_CUSTOM[0]} must be callable, not {type(values[_CUSTOM[0]]).__name__}")
        return Bearer(source, None, None, options)
    if values["bearer.auth.logical.cluster"] is None:
        raise ValueError("Missing required bearer configuration properties: bearer.auth.logical.cluster")
    if source == "STATIC_TOKEN" and values["bearer.auth.token"] is None:
        raise ValueError("Missing bearer.auth.token")
    if source == "OAUTHBEARER":
        missing = [name for name in _OAUTH if values[name] is None]
        if missing:
            raise ValueError(f"Missing required OAuth configuration properties: {', '.join(missing)}")
    if source == "OAUTHBEARER_AZURE_IMDS":
        query = values["bearer.auth.issuer.endpoint.query"]
        url = values["bearer.auth.issuer.endpoint.url"]
        if query is None and url is None:
            raise ValueError(
                "bearer.auth.issuer.endpoint.query is required with OAUTHBEARER_AZURE_IMDS unless "
                "bearer.auth.issuer.endpoint.url is given"
            )
        parts = urlsplit(url or DEFAULT_IMDS_URL)
        options["token.url"] = urlunsplit(parts if query is None else parts._replace(query=query.lstrip("?")))
    pool = normalize_identity_pool(values["bearer.auth.identity.pool.id"])
    return Bearer(source, values["bearer.auth.logical.cluster"], pool, options)
