# SPDX-License-Identifier: Apache-2.0
"""What is measured of the serializers and the registry client: schemas are known, nothing asks the registry."""

from __future__ import annotations

from _rows import Contest, Limit, Row, Side

FORMATS = {"avro": (0.20, 0.12), "json": (0.06, 0.06), "protobuf": (0.35, 0.35)}
# An await of what is there, over the plain call.
ASYNC_OVERHEAD_NS = 500.0

REGISTRY_ROWS = (
    Row("get-schema", "registry client: get_schema, cached", "get_schema.py", 0.30, 0.20),
    Row(
        "get-schema-awaited",
        "registry client: get_schema, cached, awaited",
        "get_schema.py",
        0.40,
        0.30,
        arguments=("--awaited",),
        peer_arguments=("--awaited",),
    ),
)

SERDE_ROWS = REGISTRY_ROWS + tuple(
    Row(
        f"{name}-{work}",
        f"{name}: {work} one by one" + (", validation on" if name == "json" else ""),
        "serde.py",
        limit,
        arguments=("--format", name, "--work", work),
        messages=100_000,
        # up to a hundred times as long for a message
        peer_messages=20_000 if name != "json" else 3_000,
    )
    for name, limits in FORMATS.items()
    for work, limit in zip(("serialize", "deserialize"), limits, strict=True)
)

RULES = {
    "condition": "a condition of two comparisons in CEL",
    "field": "a transform of one field in CEL",
    "checks": "two checks in the schema's text",
}
SERDE_ROWS += tuple(
    Row(
        f"rule-{kind}",
        f"avro: serialize with {what}",
        "rules.py",
        0.15,
        0.10,
        arguments=("--kind", kind),
        messages=30_000,
        peer_messages=2_000,
    )
    for kind, what in RULES.items()
)

SERDE_CONTESTS = tuple(
    Contest(
        f"{name}-{work}-forms",
        f"{name}: {work} awaited, and in batches of 100",
        {"ours": Side("ours", "serde_forms.py", 100_000, ("--format", name, "--work", work))},
        (Limit("async_overhead_ns", at_most=ASYNC_OVERHEAD_NS), Limit("batch_to_single", at_most=1.0)),
        told=("single_ns", "async_ns", "batch_ns"),
    )
    for name in FORMATS
    for work in ("serialize", "deserialize")
)

# With a warm key, over the same record in clear.
ENCRYPTED_FIELD_NS = 5_000.0
ENCRYPTION_CONTESTS = tuple(
    Contest(
        f"encrypt-{work}",
        f"avro: {work} two encrypted fields of 32 bytes, per field",
        {
            "ours": Side("ours", "encrypted.py", 50_000, ("--work", work)),
            "peer": Side("peer", "encrypted.py", 5_000, ("--work", work)),
        },
        (Limit("field_ns", at_most=ENCRYPTED_FIELD_NS), Limit("field_ns", at_most=0.15, of="peer")),
        told=("plain_ns", "encrypted_ns", "field_ns"),
    )
    for work in ("serialize", "deserialize")
)
SERDE_CONTESTS += ENCRYPTION_CONTESTS
