# SPDX-License-Identifier: Apache-2.0
"""From what a user passes to a client's constructor to what librdkafka is given.

The rules, all of them kept from the confluent-kafka package: one dict, keyword arguments, or both (keywords win); keys
and values become text; a value of None leaves librdkafka's default; callbacks and a few other keys never reach
librdkafka.  The caller's dict is never changed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import _native
from ._config_hints import hint_for_unknown, hint_for_value, unknown_property
from ._property_table import is_known
from ._redact import scrub, shown
from .error import ConfigurationError, KafkaError

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["producer", "consumer", "admin"]

_AWS_IAM_TYPE = "sasl.oauthbearer.metadata.authentication.type"
_FIRST = ("debug", "plugin.library.paths")
# An admin client has no topics, for which librdkafka would watch the cluster. With its own defaults the client would go
# on for five minutes with a controller that is gone, and call a partition leaderless for 15 after it was so once.
# So it asks every ten seconds who the brokers are (librdkafka does it no more often), and remembers leaders for one.
_ADMIN_DEFAULTS = (("topic.metadata.refresh.interval.ms", "5000"), ("metadata.max.age.ms", "1000"))


@dataclass(frozen=True, slots=True)
class ParsedConfig:
    """What a client is made from.

    ``properties`` are pairs of text to give to librdkafka in this order: client.software.*, ours, debug,
    plugin.library.paths, then the rest as the user ordered it, so that a later pair overrides an earlier one.
    ``callbacks`` holds, each only if given: error_cb, stats_cb, throttle_cb, oauth_cb, logger (all clients),
    on_delivery and delivery.report.only.error, a bool (producer), on_commit (consumer).
    """

    properties: list[tuple[str, str]]
    callbacks: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        pairs = ", ".join(f"{name}={shown(name, value)}" for name, value in self.properties)
        return f"ParsedConfig({pairs}; callbacks: {', '.join(self.callbacks) or 'none'})"


NO_CONFIG: Any = object()
"""Default of the clients' first parameter: None is an error."""


def positional(config: Any, others: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the positional arguments of a client's constructor."""
    return others if config is NO_CONFIG else (config, *others)


def parse(kind: Kind, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedConfig:
    """Check a client's arguments and take them apart.

    Args:
        kind: the client being made.
        args: its positional arguments: at most one dict.
        kwargs: its keyword arguments; they override the dict.

    Raises:
        TypeError: no dict, more than one argument, or a callback of the wrong type.
        ValueError: throttle_cb not callable, a consumer's group.id missing or empty, incomplete AWS IAM settings.
        ConfigurationError: a key that librdkafka does not have, with value None, or a value that has no text form.
        ImportError: AWS IAM authentication is asked for and its extra is not installed.
    """
    conf = _merged(args, kwargs)
    if kind == "consumer":
        _require_group_id(conf)
    callbacks = _take_callbacks(kind, conf)
    _take_aws_iam(conf, callbacks)
    properties = [
        ("client.software.name", "confluent-kafka-python"),
        ("client.software.version", _software_version()),
        *(_ADMIN_DEFAULTS if kind == "admin" else ()),
    ]
    for key in _FIRST:
        if (value := conf.pop(key, None)) is not None:
            text = _text_of(key, value)
            properties.append((key, _resolve_plugins(text) if key == "plugin.library.paths" else text))
    for key, value in conf.items():
        if value is not None:
            properties.append((key, _text_of(key, value)))
        elif not is_known(key):
            raise refused(kind, key, None, unknown_property(key))
    return ParsedConfig(properties, callbacks)


def explain(kind: Kind, key: str, value: str | None, message: str) -> str:
    """Turn librdkafka's refusal of one property into a text that says what to do.

    Args:
        kind: the client being made.
        key: property as the user named it.
        value: its value; never shown if the property is secret.
        message: librdkafka's text.

    Returns: librdkafka's text, secrets masked, with the nearest known property, the client the property belongs to, or
        the allowed values appended.
    """
    text = scrub(message.strip(), key, "" if value is None else value)
    hint = hint_for_value(key, text) if is_known(key) else hint_for_unknown(kind, key)
    return f"{text}; {hint}" if hint else text


def refused(kind: Kind, key: str, value: str | None, message: str) -> ConfigurationError:
    """Return the exception to raise for a property librdkafka refused; arguments as for :func:`explain`."""
    return ConfigurationError(KafkaError(KafkaError._INVALID_ARG, explain(kind, key, value, message)))


def _merged(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if len(args) > 1:
        raise TypeError(
            f"expected tuple containing single dict, not {len(args)} positional arguments: "
            "merge them into one, for example {**common, **own}"
        )
    if args and not isinstance(args[0], dict):
        raise TypeError(
            f"expected configuration dict, not {type(args[0]).__name__}: "
            'pass for example {"bootstrap.servers": "localhost:9092"}'
        )
    if not args and not kwargs:
        raise TypeError('expected configuration dict: pass for example {"bootstrap.servers": "localhost:9092"}')
    conf: dict[str, Any] = {}
    for source in (*args, kwargs):
        conf.update((_plain(key), value) for key, value in source.items())
    topic_defaults = conf.pop("default.topic.config", None)
    if topic_defaults is not None:
        if not isinstance(topic_defaults, dict):
            raise TypeError(
                f"expected default.topic.config property as a dict, not {type(topic_defaults).__name__}; "
                "topic properties may also be given directly, beside the others"
            )
        conf.update((_plain(key), value) for key, value in topic_defaults.items())
    return conf


def _require_group_id(conf: dict[str, Any]) -> None:
    message = "Failed to create consumer: group.id must be set"
    if "group.id" not in conf:
        raise ValueError(message)
    # librdkafka aborts the whole process on an empty one
    if (value := conf["group.id"]) is None or _plain(value) == "":
        raise ValueError(
            f"{message}, not {'None' if value is None else 'empty'}: give the name of the consumer group, "
            '{"group.id": "my-group"}; for a consumer that only uses assign(), any name that no other consumer uses'
        )


def _take_callbacks(kind: Kind, conf: dict[str, Any]) -> dict[str, Any]:
    callbacks: dict[str, Any] = {}
    # in the order given, so that of several mistakes the first is reported
    for key in list(conf):
        check = _CHECKS.get(key)
        if check is None or kind not in check[0]:
            continue
        value = conf.pop(key)
        check[1](key, value)
        if key != "logger" or value is not None:
            callbacks[key] = value
    return callbacks


def _check_callable(key: str, value: Any) -> None:
    if not callable(value):
        raise TypeError(f"expected {key} property as a callable function, not {type(value).__name__}")


def _check_throttle_cb(key: str, value: Any) -> None:
    if not callable(value):
        raise ValueError(f"expected {key} property as a callable function, not {type(value).__name__}")


def _check_logger(key: str, value: Any) -> None:
    if value is not None and not callable(getattr(value, "log", None)):
        raise TypeError(
            f"expected {key} property as an object with a log(level, format, *args) method, such as "
            f"logging.getLogger(), not {type(value).__name__}"
        )


def _check_report_callback(key: str, value: Any) -> None:
    if not callable(value):
        text = f"{key} requires a callable object, not {type(value).__name__}"
        raise ConfigurationError(KafkaError(KafkaError._INVALID_ARG, text))


def _check_bool(key: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"Expected {key} to be bool type, not {type(value).__name__}")


_EVERY: tuple[Kind, ...] = ("producer", "consumer", "admin")
_CHECKS: dict[str, tuple[tuple[Kind, ...], Callable[[str, Any], None]]] = {
    "error_cb": (_EVERY, _check_callable),
    "stats_cb": (_EVERY, _check_callable),
    "oauth_cb": (_EVERY, _check_callable),
    "throttle_cb": (_EVERY, _check_throttle_cb),
    "logger": (_EVERY, _check_logger),
    "on_delivery": (("producer",), _check_report_callback),
    "delivery.report.only.error": (("producer",), _check_bool),
    "on_commit": (("consumer",), _check_report_callback),
}


def _plain(value: Any) -> str:
    # the content of a str subclass: str() of a member of a "str, Enum" class is the member's name
    return str.__str__(value) if isinstance(value, str) else str(value)


def _text_of(key: str, value: Any) -> str:
    # The text of a container or of bytes (b'...') is never what was meant: better refused here than sent to a broker
    if isinstance(value, (bytes, bytearray, memoryview, list, tuple, set, frozenset, dict)):
        raise _unusable(key, f"expected text, a number or a bool, not {type(value).__name__}{_advice(value)}")
    text = _plain(value)
    if "\0" in text:
        raise _unusable(key, "the value contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as e:
        # without the cause: its text has the value in it
        raise _unusable(key, f"the value cannot be encoded as UTF-8 (character {e.start})") from None
    return text


def _advice(value: Any) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        return ": join the elements with commas"
    if isinstance(value, dict):
        return ""
    return ": decode it first"


def _unusable(key: str, why: str) -> ConfigurationError:
    text = f'Invalid value for configuration property "{key}": {why}'
    return ConfigurationError(KafkaError(KafkaError._INVALID_ARG, text))


def _software_version() -> str:
    from . import __version__

    return f"{__version__}-rdkafka-{_native.librdkafka_version()[0]}"


def _take_aws_iam(conf: dict[str, Any], callbacks: dict[str, Any]) -> None:
    """Replace the AWS IAM settings, which this librdkafka does not know, by a token callback."""
    if conf.get(_AWS_IAM_TYPE) != "aws_iam":
        return
    if "oauth_cb" not in callbacks:
        method = conf.get("sasl.oauthbearer.method")
        if method != "oidc":
            raise ValueError(
                f"'{_AWS_IAM_TYPE}=aws_iam' requires 'sasl.oauthbearer.method=oidc'. "
                f"Current value: {'<unset>' if method is None else method}."
            )
        settings = conf.get("sasl.oauthbearer.config")
        if not settings:
            raise ValueError(
                f"'{_AWS_IAM_TYPE}=aws_iam' is set but 'sasl.oauthbearer.config' is missing or empty. "
                'Give the region and the audience in it, for example "region=eu-west-1,audience=https://example.com".'
            )
        from ._oauthbearer.aws.aws_autowire import create_handler

        extensions = conf.get("sasl.oauthbearer.extensions")
        callbacks["oauth_cb"] = create_handler(str(settings), None if extensions is None else str(extensions))
    # the callback brings the token: librdkafka must not look for an OIDC endpoint of its own
    del conf[_AWS_IAM_TYPE]
    if conf.get("sasl.oauthbearer.method") == "oidc":
        del conf["sasl.oauthbearer.method"]


def _resolve_plugins(paths: str) -> str:
    """Return ``plugin.library.paths`` with plugins that come with this package replaced by their full paths.

    Only bare names are looked up, with and without the platform's suffix; everything else stays as it is. Entries are
    separated by ``:``, on Windows by ``;``.
    """
    package = Path(__file__).parent
    separator, suffix, directory = ":", ".so", package / ".libs"
    if sys.platform == "win32":
        separator, suffix, directory = ";", ".dll", package
    elif sys.platform == "darwin":
        suffix, directory = ".dylib", package / ".dylibs"

    def resolve(name: str) -> str:
        if not name or "/" in name or "\\" in name:
            return name
        candidates = (directory / name, directory / (name + suffix))
        return next((str(path) for path in candidates if path.is_file()), name)

    return separator.join(resolve(name) for name in paths.split(separator))
