# SPDX-License-Identifier: Apache-2.0
"""One operation per call of the clients of the registry of keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry._core.effects import share
from confluent_kafka.schema_registry._core.rest import request, segment
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.rules.encryption.dek_registry._models import (
    CreateDekRequest,
    CreateKekRequest,
    Dek,
    DekAlgorithm,
    DekId,
    Kek,
    KekId,
    KekKmsProps,
)

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.rest import Link

ROOT = "dek-registry/v1/keks"
LATEST = -1


@dataclass(frozen=True, slots=True)
class DekRegistry:
    """A registry of keys and what is remembered of it.

    Not remembered are data keys that it unwrapped, and which version is the latest: somebody else may make a newer one.
    """

    link: Link
    keks: BoundedDict[KekId, Kek] = field(default_factory=BoundedDict)
    deks: BoundedDict[DekId, Dek] = field(default_factory=BoundedDict)

    def keep(self, key: DekId, dek: Dek) -> Dek:
        """Remember a data key, unless it came in clear or was asked for as the latest."""
        if dek.key_material is None and key.version != LATEST:
            self.deks.put(key, dek)
        return dek

    def clear(self) -> None:
        """Forget everything."""
        self.keks.clear()
        self.deks.clear()


def register_kek(
    reg: DekRegistry,
    name: str,
    kms_type: str,
    kms_key_id: str,
    shared: bool,
    kms_props: dict[str, str] | None,
    doc: str | None,
    context: str | None,
) -> Op[Kek]:
    key = KekId(name, False, context)
    if (known := reg.keks.get(key)) is not None:
        return known
    props = None if kms_props is None else KekKmsProps(dict(kms_props))
    body = CreateKekRequest(name, kms_type, kms_key_id, props, doc, shared).to_dict()
    answer = yield from request(reg.link, "POST", ROOT, [("context", context)], body)
    return reg.keks.put(key, Kek.from_dict(answer))


def get_kek(reg: DekRegistry, name: str, deleted: bool, context: str | None) -> Op[Kek]:
    key = KekId(name, deleted, context)
    if (known := reg.keks.get(key)) is not None:
        return known

    def fetch() -> Op[Kek]:
        query = [("deleted", deleted), ("context", context)]
        answer = yield from request(reg.link, "GET", f"{ROOT}/{segment(name)}", query)
        return reg.keks.put(key, Kek.from_dict(answer))

    return (yield from share(("kek", key), fetch))


def register_dek(
    reg: DekRegistry,
    kek_name: str,
    subject: str,
    encrypted_key_material: str | None,
    algorithm: DekAlgorithm,
    version: int,
) -> Op[Dek]:
    key = DekId(kek_name, subject, version, algorithm, False)
    if (known := reg.deks.get(key)) is not None:
        return known
    body = CreateDekRequest(subject, version, algorithm, encrypted_key_material).to_dict()
    path = f"{ROOT}/{segment(kek_name)}/deks"
    try:
        answer = yield from request(reg.link, "POST", f"{path}/{segment(subject)}", (), body)
    except SchemaRegistryError as e:
        if e.http_status_code != 405:
            raise
        # older registries have the subject in the body only
        answer = yield from request(reg.link, "POST", path, (), body)
    return reg.keep(key, Dek.from_dict(answer))


def get_dek(
    reg: DekRegistry, kek_name: str, subject: str, algorithm: DekAlgorithm, version: int, deleted: bool
) -> Op[Dek]:
    key = DekId(kek_name, subject, version, algorithm, deleted)
    if (known := reg.deks.get(key)) is not None:
        return known

    def fetch() -> Op[Dek]:
        path = f"{ROOT}/{segment(kek_name)}/deks/{segment(subject)}/versions/{version}"
        answer = yield from request(reg.link, "GET", path, [("algorithm", algorithm.value), ("deleted", deleted)])
        return reg.keep(key, Dek.from_dict(answer))

    return (yield from share(("dek", key), fetch))


def get_keks(reg: DekRegistry, deleted: bool, context: str | None) -> Op[list[str]]:
    answer: Any = yield from request(reg.link, "GET", ROOT, [("deleted", deleted), ("context", context)])
    return list(answer or ())


def get_deks(reg: DekRegistry, kek_name: str, deleted: bool) -> Op[list[str]]:
    answer: Any = yield from request(reg.link, "GET", f"{ROOT}/{segment(kek_name)}/deks", [("deleted", deleted)])
    return list(answer or ())


def get_dek_versions(
    reg: DekRegistry, kek_name: str, subject: str, algorithm: DekAlgorithm, deleted: bool
) -> Op[list[int]]:
    path = f"{ROOT}/{segment(kek_name)}/deks/{segment(subject)}/versions"
    answer: Any = yield from request(reg.link, "GET", path, [("algorithm", algorithm.value), ("deleted", deleted)])
    return [int(version) for version in answer or ()]


def delete_kek(reg: DekRegistry, name: str, permanent: bool, context: str | None) -> Op[None]:
    query = [("permanent", permanent), ("context", context)]
    try:
        yield from request(reg.link, "DELETE", f"{ROOT}/{segment(name)}", query)
    finally:
        reg.clear()


def delete_dek(
    reg: DekRegistry, kek_name: str, subject: str, algorithm: DekAlgorithm, version: int | None, permanent: bool
) -> Op[None]:
    path = f"{ROOT}/{segment(kek_name)}/deks/{segment(subject)}"
    if version is not None:
        path = f"{path}/versions/{version}"
    try:
        yield from request(reg.link, "DELETE", path, [("algorithm", algorithm.value), ("permanent", permanent)])
    finally:
        reg.clear()


def undelete_kek(reg: DekRegistry, name: str, context: str | None) -> Op[None]:
    try:
        yield from request(reg.link, "POST", f"{ROOT}/{segment(name)}/undelete", [("context", context)], {})
    finally:
        reg.clear()


def undelete_dek(
    reg: DekRegistry, kek_name: str, subject: str, algorithm: DekAlgorithm, version: int | None
) -> Op[None]:
    path = f"{ROOT}/{segment(kek_name)}/deks/{segment(subject)}"
    if version is not None:
        path = f"{path}/versions/{version}"
    try:
        yield from request(reg.link, "POST", f"{path}/undelete", [("algorithm", algorithm.value)], {})
    finally:
        reg.clear()
