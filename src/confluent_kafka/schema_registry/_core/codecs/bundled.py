# SPDX-License-Identifier: Apache-2.0
"""Modules with message classes, made from ``.proto`` text when they are imported; they look like protoc's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.internal import builder

from confluent_kafka.schema_registry._core.codecs.proto_names import resolve
from confluent_kafka.schema_registry._core.codecs.proto_parser import parse_proto

if TYPE_CHECKING:
    from collections.abc import Sequence


def define(namespace: dict[str, Any], name: str, text: str, imports: Sequence[Any] = ()) -> None:
    """Put the descriptor, the classes and the extensions of a file into a module.

    Args:
        namespace: the module's ``globals()``.
        name: of the file, as others import it.
        text: the file.
        imports: the ``FileDescriptor`` of each file that it imports.
    """
    files = {}
    for item in imports:
        files[item.name] = descriptor_pb2.FileDescriptorProto()
        item.CopyToProto(files[item.name])
    proto = resolve(parse_proto(text, name), files)
    # in the pool of all generated code, so that generated code can import it; the same bytes may be added twice
    descriptor = descriptor_pool.Default().AddSerializedFile(proto.SerializeToString(deterministic=True))
    namespace["DESCRIPTOR"] = descriptor
    builder.BuildMessageAndEnumDescriptors(descriptor, namespace)
    builder.BuildTopDescriptorsAndMessages(descriptor, namespace["__name__"], namespace)
