# SPDX-License-Identifier: Apache-2.0
"""What to tell a user whose configuration librdkafka refused: from the property table, and from common habits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._property_table import find, properties

if TYPE_CHECKING:
    from ._config import Kind

# keys of ours that never reach librdkafka, by the client that has them
_OWN: dict[str, tuple[str, ...]] = {
    "error_cb": ("producer", "consumer", "admin"),
    "stats_cb": ("producer", "consumer", "admin"),
    "throttle_cb": ("producer", "consumer", "admin"),
    "oauth_cb": ("producer", "consumer", "admin"),
    "logger": ("producer", "consumer", "admin"),
    "default.topic.config": ("producer", "consumer", "admin"),
    "on_delivery": ("producer",),
    "on_commit": ("consumer",),
}

# librdkafka's names of callbacks it takes by function call only
_CALLBACKS = {
    "dr_cb": "use `on_delivery`, here or in produce()",
    "dr_msg_cb": "use `on_delivery`, here or in produce()",
    "offset_commit_cb": "use `on_commit`",
    "rebalance_cb": "pass on_assign, on_revoke and on_lost to subscribe()",
    "consume_cb": "call poll() or consume(), or iterate over the consumer",
    "log_cb": "use `logger`",
    "oauthbearer_token_refresh_cb": "use `oauth_cb`",
    "partitioner_cb": "choose one with `partitioner`, or pass partition= to produce()",
    "default_topic_conf": "give topic properties directly, beside the others",
}

# properties of Kafka's Java clients, and of the classes built on these clients
ELSEWHERE = {
    "key.serializer": "it is a property of SerializingProducer",
    "value.serializer": "it is a property of SerializingProducer",
    "key.deserializer": "it is a property of DeserializingConsumer",
    "value.deserializer": "it is a property of DeserializingConsumer",
    "schema.registry.url": "give it to SchemaRegistryClient, as `url`",
    "schema.registry.basic.auth.user.info": "give it to SchemaRegistryClient, as `basic.auth.user.info`",
    "sasl.jaas.config": "set `sasl.username` and `sasl.password`",
    "sasl.login.callback.handler.class": "use `oauth_cb`",
    "ssl.truststore.location": "use `ssl.ca.location`, a PEM file",
    "ssl.truststore.password": "use `ssl.ca.location`, a PEM file",
    "ssl.truststore.certificates": "use `ssl.ca.pem`",
    "ssl.keystore.type": "`ssl.keystore.location` takes PKCS#12; for PEM use `ssl.certificate.location` and "
    "`ssl.key.location`",
    "ssl.truststore.type": "use `ssl.ca.location`, a PEM file",
    "buffer.memory": "use `queue.buffering.max.kbytes`",
    "max.block.ms": "pass block=seconds to produce()",
    "max.request.size": "use `message.max.bytes`",
    "max.poll.records": "pass the number to consume() or batches()",
    "partitioner.class": "use `partitioner`",
    "fetch.max.wait.ms": "use `fetch.wait.max.ms`",
    "default.api.timeout.ms": "pass timeout= to the call",
    "interceptor.classes": "interceptors are native plugins here: `plugin.library.paths`",
    "bootstrap.controllers": "use `bootstrap.servers`",
    "metrics.recording.level": "use `statistics.interval.ms` and `stats_cb`",
}


def unknown_property(key: str) -> str:
    """Return the text librdkafka has for a key it does not know."""
    return f'No such configuration property: "{key}"'


def hint_for_unknown(kind: Kind, key: str) -> str:
    """Return what to do about a key librdkafka does not have, "" if nothing comes near it."""
    bare = key.strip()
    if bare in _OWN and kind not in _OWN[bare]:
        return f"`{bare}` is a {_OWN[bare][0]} property"
    if bare in _CALLBACKS:
        return _CALLBACKS[bare]
    dotted = bare.lower().replace("_", ".").replace("-", ".")
    if dotted in ELSEWHERE:
        return ELSEWHERE[dotted]
    if (known := _known_spelling(kind, bare, dotted)) is not None:
        if "." in known and "_" in bare:
            return (
                f'did you mean `{known}`? Keyword arguments cannot contain dots: pass a dict, {{"{known}": ...}}, or '
                f'expand one, **{{"{known}": ...}}'
            )
        return f"did you mean `{known}`?"
    # only needed on the way to an exception, and slow to import
    import difflib

    if near := difflib.get_close_matches(dotted, _candidates(kind), n=1, cutoff=0.75):
        return f"did you mean `{near[0]}`?{_whose(kind, near[0])}"
    return "the properties are listed in librdkafka's CONFIGURATION.md"


def hint_for_value(key: str, message: str) -> str:
    """Return what a known property takes, "" if the message says so or nothing is known about it."""
    if key in _CALLBACKS:
        return _CALLBACKS[key]
    known = find(key)
    if known is None:
        return ""
    if not known.settable:
        return f"`{key}` cannot be set from Python"
    hints = []
    if known.alias_of is not None and known.alias_of in message and key not in message:
        hints.append(f"given as `{key}`")
    # lists of flags are long, and a plug-in or file that could not be loaded is no matter of allowed values
    if known.allowed and known.type != "CSV flags" and ("value" in message.lower() or "range" in message):
        unit = f" ({known.type})" if known.type in ("integer", "float") else ""
        hints.append(f"allowed: {known.allowed}{unit}")
    return ", ".join(hints)


def _candidates(kind: Kind) -> list[str]:
    own = [name for name, kinds in _OWN.items() if kind in kinds]
    return own + [name for name, entry in properties().items() if entry.settable]


def _known_spelling(kind: Kind, bare: str, dotted: str) -> str | None:
    """Return the known key that differs in case, blanks, or underscores for dots only."""
    for name in _candidates(kind):
        if name.lower() in (bare.lower(), dotted) or name.replace("_", ".") == dotted:
            return name
    return None


def _whose(kind: Kind, name: str) -> str:
    known = find(name)
    owner = {"P": "producer", "C": "consumer"}.get(known.clients) if known else None
    return f" It is a {owner} property" if owner and owner != kind and kind != "admin" else ""
