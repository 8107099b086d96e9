# SPDX-License-Identifier: Apache-2.0
"""Subjects that resources such as topics are bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.models import Association, AssociationInfo
from confluent_kafka.schema_registry._core.registry import failures
from confluent_kafka.schema_registry._core.subject import NAMESPACE_WILDCARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka.schema_registry._core.models import (
        AssociationCreateOrUpdateInfo,
        AssociationCreateOrUpdateRequest,
    )


class Associations:
    """All of them; a resource has at most one of each type."""

    def __init__(self) -> None:
        self._items: list[Association] = []
        self._lifecycles: dict[tuple[Any, ...], str] = {}

    def check(self, request: AssociationCreateOrUpdateRequest, update: bool) -> None:
        """Check a request before anything is done.

        Args:
            update: what the resource has may be replaced.
        Raises:
            SchemaRegistryError: 42212: something is missing; 40903: the resource has one of this type; 40904, 40905:
                the subject is bound elsewhere; 40908: what is there is frozen.
        """
        for field in ("resource_name", "resource_namespace", "resource_id"):
            if not getattr(request, field):
                raise failures.invalid_association(f"{field} is missing")
        if not request.associations:
            raise failures.invalid_association("associations is missing")
        for wanted in request.associations:
            if not wanted.subject:
                raise failures.invalid_association("subject is missing")
            for item in self._items:
                if item.subject == wanted.subject and item.resource_id != request.resource_id:
                    self._check_shared(item, wanted)
            existing = self._existing(request, wanted)
            if existing is None or existing.subject == wanted.subject:
                continue
            if not update:
                text = f"An association of type '{existing.association_type}' already exists for resource '"
                raise failures.conflict(40903, f"{text}{existing.resource_name}'")
            if existing.frozen:
                text = f"The association of type '{existing.association_type}' is frozen for subject '{wanted.subject}'"
                raise failures.conflict(40908, text)

    def _check_shared(self, item: Association, wanted: AssociationCreateOrUpdateInfo) -> None:
        if self._lifecycles.get(_key(item)) == "STRONG":
            raise failures.conflict(40905, f"A strong association already exists for subject '{wanted.subject}'")
        if (wanted.lifecycle or "").upper() == "STRONG":
            raise failures.conflict(40904, f"An association already exists for subject '{wanted.subject}'")

    def put(
        self, request: AssociationCreateOrUpdateRequest, wanted: AssociationCreateOrUpdateInfo, guid: str | None
    ) -> AssociationInfo:
        """Bind a subject; what the resource had of this type is replaced."""
        existing = self._existing(request, wanted)
        association = Association(
            wanted.subject,
            guid,
            request.resource_name,
            request.resource_namespace,
            request.resource_id,
            request.resource_type,
            wanted.association_type,
            bool(wanted.frozen),
        )
        if existing is not None:
            self._items.remove(existing)
        self._items.append(association)
        if wanted.lifecycle:
            self._lifecycles[_key(association)] = wanted.lifecycle.upper()
        return AssociationInfo(
            wanted.subject, wanted.association_type, wanted.lifecycle, association.frozen, wanted.schema
        )

    def _existing(
        self, request: AssociationCreateOrUpdateRequest, wanted: AssociationCreateOrUpdateInfo
    ) -> Association | None:
        same = (request.resource_id, request.resource_type, wanted.association_type)
        return next((item for item in self._items if _key(item) == same), None)

    def by_name(
        self, name: str, namespace: str, resource_type: str | None, types: Sequence[str] | None
    ) -> list[Association]:
        """Return those of the resources with a name; namespace ``-`` stands for all."""
        return [
            item
            for item in self._items
            if item.resource_name == name
            and (namespace == NAMESPACE_WILDCARD or item.resource_namespace == namespace)
            and _fits(item, resource_type, types)
        ]

    def by_id(self, resource_id: str, resource_type: str | None, types: Sequence[str] | None) -> list[Association]:
        """Return those of one resource."""
        return [item for item in self._items if item.resource_id == resource_id and _fits(item, resource_type, types)]

    def by_subject(self, subject: str, resource_type: str | None, types: Sequence[str] | None) -> list[Association]:
        """Return those of one subject."""
        return [item for item in self._items if item.subject == subject and _fits(item, resource_type, types)]

    def drop(self, resource_id: str, resource_type: str | None, types: Sequence[str] | None) -> list[str]:
        """Drop those of one resource; return the subjects whose life ends with them."""
        dropped = self.by_id(resource_id, resource_type, types)
        self._items = [item for item in self._items if item not in dropped]
        return [str(item.subject) for item in dropped if self._lifecycles.pop(_key(item), None) == "STRONG"]


def _key(item: Association) -> tuple[Any, ...]:
    return (item.resource_id, item.resource_type, item.association_type)


def _fits(item: Association, resource_type: str | None, types: Sequence[str] | None) -> bool:
    return (resource_type is None or item.resource_type == resource_type) and (
        not types or item.association_type in types
    )
