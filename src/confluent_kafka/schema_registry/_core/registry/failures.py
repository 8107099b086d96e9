# SPDX-License-Identifier: Apache-2.0
"""What a registry answers when it cannot do what it was asked.

Codes and texts are those that the registry's REST API documents, so that callers can tell the cases apart.
"""

from __future__ import annotations

from confluent_kafka.schema_registry.error import SchemaRegistryError

LEVELS = ("NONE", "BACKWARD", "FORWARD", "FULL", "BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE")
MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD")


def no_entry() -> SchemaRegistryError:
    """Return what every look-up that finds nothing raises in a registry that keeps no rules."""
    return SchemaRegistryError(404, 40400, "Schema Not Found")


def no_subject(subject: str) -> SchemaRegistryError:
    return SchemaRegistryError(404, 40401, f"Subject '{subject}' not found.")


def no_version(version: int | str) -> SchemaRegistryError:
    return SchemaRegistryError(404, 40402, f"Version {version} not found.")


def no_schema(what: int | str | None = None) -> SchemaRegistryError:
    return SchemaRegistryError(404, 40403, "Schema not found" if what is None else f"Schema {what} not found")


def subject_deleted(subject: str) -> SchemaRegistryError:
    text = f"Subject '{subject}' was soft deleted. Set permanent=true to delete permanently"
    return SchemaRegistryError(404, 40404, text)


def subject_not_deleted(subject: str) -> SchemaRegistryError:
    text = f"Subject '{subject}' was not deleted first before being permanently deleted"
    return SchemaRegistryError(404, 40405, text)


def version_deleted(subject: str, version: int | str) -> SchemaRegistryError:
    text = f"Subject '{subject}' Version {version} was soft deleted. Set permanent=true to delete permanently"
    return SchemaRegistryError(404, 40406, text)


def version_not_deleted(subject: str, version: int | str) -> SchemaRegistryError:
    text = f"Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
    return SchemaRegistryError(404, 40407, text)


def no_subject_config(subject: str) -> SchemaRegistryError:
    text = f"Subject '{subject}' does not have subject-level compatibility configured"
    return SchemaRegistryError(404, 40408, text)


def no_subject_mode(subject: str) -> SchemaRegistryError:
    return SchemaRegistryError(404, 40409, f"Subject '{subject}' does not have subject-level mode configured")


def incompatible(subject: str, messages: list[str]) -> SchemaRegistryError:
    text = f'Schema being registered is incompatible with an earlier schema for subject "{subject}", details: '
    return SchemaRegistryError(409, 409, text + f"[{', '.join(messages)}]")


def conflict(code: int, text: str) -> SchemaRegistryError:
    return SchemaRegistryError(409, code, text)


def invalid_schema(schema_type: str | None, reason: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42201, f"Invalid schema of type {schema_type}, details: {reason}")


def invalid_version(version: str) -> SchemaRegistryError:
    text = (
        f"The specified version '{version}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"'
    )
    return SchemaRegistryError(422, 42202, text)


def invalid_level() -> SchemaRegistryError:
    text = f"Invalid compatibility level. Valid values are {', '.join(level.lower() for level in LEVELS)}"
    return SchemaRegistryError(422, 42203, text)


def invalid_mode() -> SchemaRegistryError:
    return SchemaRegistryError(422, 42204, f"Invalid mode. Valid values are {', '.join(MODES)}")


def not_permitted(text: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42205, text)


def referenced(subject: str, version: int) -> SchemaRegistryError:
    text = f"One or more references exist to the schema {{subject={subject},version={version}}}."
    return SchemaRegistryError(422, 42206, text)


def id_differs(schema_id: int, existing: int) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42207, f"Schema already registered with id {existing} instead of {schema_id}")


def invalid_subject(subject: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42208, f"The specified subject '{subject}' is not a valid subject.")


def invalid_rules(text: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42210, f"Invalid rule set: {text}")


def invalid_association(text: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42212, f"Invalid association: {text}")


def unprocessable(text: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 422, text)


def bad_request(text: str) -> SchemaRegistryError:
    return SchemaRegistryError(400, 400, text)


def no_key(name: str) -> SchemaRegistryError:
    return SchemaRegistryError(404, 40470, f"Key '{name}' not found")


def key_not_deleted(name: str) -> SchemaRegistryError:
    text = f"Key '{name}' was not deleted first before being permanently deleted"
    return SchemaRegistryError(404, 40471, text)


def key_deleted(name: str) -> SchemaRegistryError:
    return SchemaRegistryError(404, 40472, f"Key '{name}' must be undeleted first")


def key_exists(name: str) -> SchemaRegistryError:
    return SchemaRegistryError(409, 40971, f"Key '{name}' already exists; use a different value")


def invalid_key(field: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42271, f"Invalid key: invalid or missing {field}")


def key_referenced(name: str) -> SchemaRegistryError:
    return SchemaRegistryError(422, 42272, f"One or more references exist to the key '{name}'")
