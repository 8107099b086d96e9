# SPDX-License-Identifier: Apache-2.0
"""Serialize and read generated Protobuf messages of generated schemas; both packages have to do the same.

usage: protobuf_corpus.py write SCHEMAS VALUES     prints a line of JSON per schema
       protobuf_corpus.py read FILE                reads what the other package wrote, prints a line of JSON per schema
"""

import base64
import hashlib
import json
import random
import sys

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.message_factory import GetMessageClass
from google.type import date_pb2, money_pb2

from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.confluent.type import decimal_pb2
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

F = descriptor_pb2.FieldDescriptorProto
KNOWN = {
    item.DESCRIPTOR.name: item.DESCRIPTOR
    for item in (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2, date_pb2, money_pb2, decimal_pb2)
}
KNOWN_TYPES = {
    "google/protobuf/timestamp.proto": "google.protobuf.Timestamp",
    "google/protobuf/duration.proto": "google.protobuf.Duration",
    "google/protobuf/any.proto": "google.protobuf.Any",
    "google/protobuf/wrappers.proto": "google.protobuf.StringValue",
    "google/protobuf/struct.proto": "google.protobuf.Value",
    "google/type/date.proto": "google.type.Date",
    "google/type/money.proto": "google.type.Money",
    "confluent/type/decimal.proto": "confluent.type.Decimal",
}
SCALARS = [
    F.TYPE_DOUBLE, F.TYPE_FLOAT, F.TYPE_INT64, F.TYPE_UINT64, F.TYPE_INT32, F.TYPE_FIXED64, F.TYPE_FIXED32, F.TYPE_BOOL,
    F.TYPE_STRING, F.TYPE_BYTES, F.TYPE_UINT32, F.TYPE_SFIXED32, F.TYPE_SFIXED64, F.TYPE_SINT32, F.TYPE_SINT64,
]  # fmt: skip
RANGES = {
    F.TYPE_INT64: (-(2**63), 2**63 - 1), F.TYPE_SINT64: (-(2**63), 2**63 - 1), F.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1), F.TYPE_FIXED64: (0, 2**64 - 1), F.TYPE_UINT32: (0, 2**32 - 1),
    F.TYPE_FIXED32: (0, 2**32 - 1), F.TYPE_INT32: (-(2**31), 2**31 - 1), F.TYPE_SINT32: (-(2**31), 2**31 - 1),
    F.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
}  # fmt: skip


def is_repeated(field):
    # the one was taken out of the runtime when the other came
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


class Schema:
    """A file with messages, with what it imports; ``kind`` is the class of the message that is written."""

    def __init__(self, number):
        self.rng = random.Random(number)
        self.package = f"gen.s{number}"
        self.types = []
        self.names = 0
        self.pool = descriptor_pool.DescriptorPool()
        for file in KNOWN.values():
            self.pool.AddSerializedFile(file.serialized_pb)
        imports = self.dependencies(number)
        main = self.file(f"gen/s{number}/main.proto", self.package, self.rng.random() < 0.3, imports)
        paths = []
        for _ in range(self.rng.randint(1, 4)):
            self.message(main.message_type, main, self.package, paths, 0)
        for path in paths:
            self.fields(main, path)
        self.pool.AddSerializedFile(main.SerializeToString())
        # a registry gives one id to a schema: all messages of this file are written under subjects of their own
        self.kind = GetMessageClass(self.pool.FindMessageTypeByName(self.rng.choice(paths)[0]))
        self.other = date_pb2.Date

    def file(self, name, package, proto2, imports):
        made = descriptor_pb2.FileDescriptorProto(name=name, package=package, dependency=imports)
        if not proto2:
            made.syntax = "proto3"
        return made

    def dependencies(self, number):
        imports = self.rng.sample(sorted(KNOWN_TYPES), self.rng.randint(0, 3))
        self.types += [KNOWN_TYPES[name] for name in imports]
        if self.rng.random() < 0.5:
            base = self.file(f"gen/s{number}/base.proto", f"gen.base{number}", False, [])
            message = base.message_type.add(name="Base")
            message.field.add(name="x", number=1, label=1, type=F.TYPE_INT64)
            self.pool.AddSerializedFile(base.SerializeToString())
            other = self.file(f"gen/s{number}/dep.proto", f"gen.dep{number}", False, [base.name])
            message = other.message_type.add(name="Dep")
            message.field.add(name="text", number=1, label=1, type=F.TYPE_STRING)
            message.field.add(name="base", number=2, label=1, type=11, type_name=f".gen.base{number}.Base")
            self.pool.AddSerializedFile(other.SerializeToString())
            imports += [other.name] if self.rng.random() < 0.5 else [base.name, other.name]
            self.types.append(f"gen.dep{number}.Dep")
            if base.name in imports:
                self.types.append(f"gen.base{number}.Base")
        return imports

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def message(self, target, file, scope, paths, depth):
        made = target.add(name=self.name("M"))
        full_name = f"{scope}.{made.name}"
        paths.append((full_name, made))
        self.types.append(full_name)
        if self.rng.random() < 0.4:
            enum = made.enum_type.add(name=self.name("E"))
            for number in (0, 1, 5):
                enum.value.add(name=f"{enum.name}_{number}", number=number)
            self.types.append("enum " + full_name + "." + enum.name)
        for _ in range(self.rng.randint(0, 2) if depth < 2 else 0):
            self.message(made.nested_type, file, full_name, paths, depth + 1)

    def fields(self, file, path):
        full_name, made = path
        numbers = self.rng.sample([*range(1, 40), 1000, 20_000, 536_870_911], self.rng.randint(0, 8))
        oneof = None
        for number in numbers:
            field = made.field.add(name=self.name("f_"), number=number, label=F.LABEL_OPTIONAL)
            self.type_of(field)
            choice = self.rng.random()
            if choice < 0.2:
                field.label = F.LABEL_REPEATED
                if not file.syntax and field.type not in (F.TYPE_STRING, F.TYPE_BYTES, F.TYPE_MESSAGE):
                    field.options.packed = self.rng.random() < 0.5
            elif choice < 0.3:
                if oneof is None:
                    oneof = len(made.oneof_decl)
                    made.oneof_decl.add(name=self.name("o"))
                field.oneof_index = oneof
            elif choice < 0.4:
                self.map(made, field, full_name)
            elif choice < 0.5 and not file.syntax and field.type == F.TYPE_STRING:
                field.default_value = "dflt"
        for field in made.field:
            scalar = field.label == F.LABEL_OPTIONAL and not field.HasField("oneof_index")
            if file.syntax and scalar and self.rng.random() < 0.2:
                field.proto3_optional, field.oneof_index = True, len(made.oneof_decl)
                made.oneof_decl.add(name="_" + field.name)

    def type_of(self, field):
        if self.types and self.rng.random() < 0.35:
            name = self.rng.choice(self.types)
            field.type = F.TYPE_ENUM if name.startswith("enum ") else F.TYPE_MESSAGE
            field.type_name = "." + name.removeprefix("enum ")
        else:
            field.type = self.rng.choice(SCALARS)

    def map(self, made, field, full_name):
        entry = made.nested_type.add(name="".join(p.capitalize() for p in field.name.split("_")) + "Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=1, type=self.rng.choice([F.TYPE_STRING, F.TYPE_INT32, F.TYPE_BOOL]))
        value = entry.field.add(name="value", number=2, label=1, type=field.type)
        if field.type_name:
            value.type_name = field.type_name
        field.label, field.type, field.type_name = F.LABEL_REPEATED, F.TYPE_MESSAGE, f".{full_name}.{entry.name}"

    def value(self):
        message = self.kind()
        self.fill(message, 0)
        return message

    def fill(self, message, depth):
        for field in message.DESCRIPTOR.fields:
            if self.rng.random() < 0.3:
                continue
            target = getattr(message, field.name)
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                # one entry: the order of more is not the same from process to process
                key = self.scalar(field.message_type.fields_by_name["key"])
                value = field.message_type.fields_by_name["value"]
                if value.message_type is None:
                    target[key] = self.scalar(value)
                elif depth < 3:
                    self.fill(target[key], depth + 1)
            elif is_repeated(field):
                for _ in range(self.rng.randint(0, 3)):
                    if field.message_type is None:
                        target.append(self.scalar(field))
                    elif depth < 3:
                        self.fill(target.add(), depth + 1)
            elif field.message_type is None:
                setattr(message, field.name, self.scalar(field))
            elif depth < 3:
                target.SetInParent()
                self.fill(target, depth + 1)

    def scalar(self, field):
        rng = self.rng
        if field.type in RANGES:
            low, high = RANGES[field.type]
            return rng.choice([0, low, high, rng.randint(low, high), rng.randint(0, 200)])
        if field.type == F.TYPE_BOOL:
            return rng.random() < 0.5
        if field.type == F.TYPE_STRING:
            return rng.choice(["", "a", "grüße", "x" * 200, "\N{SNOWMAN}\x00"])
        if field.type == F.TYPE_BYTES:
            return rng.randbytes(rng.choice([0, 1, 10, 150]))
        if field.type == F.TYPE_ENUM:
            return rng.choice(field.enum_type.values).number
        return rng.choice([0.0, -0.0, 1.5, -2.25, float("inf"), rng.random() * 4.0])


def damaged(rng, data):
    """Bytes that are mostly no message any more."""
    yield b""
    yield data[: rng.randint(1, len(data))]
    yield data[:5] + b"\xff\xff"
    yield data[:5] + b"\x02\xc8\x01" + data[6:]
    yield bytes([rng.randint(2, 255)]) + data[1:]
    yield data + rng.randbytes(rng.randint(1, 8))
    at = rng.randint(5, len(data) - 1)
    yield data[:at] + rng.randbytes(1) + data[at + 1 :]


def outcome(deserializer, data, context):
    try:
        result = deserializer(data, context)
    except Exception:
        return "refused"
    return hashlib.sha256(result.SerializeToString(deterministic=True)).hexdigest()[:16]


def make(number, client):
    schema = Schema(number)
    context = SerializationContext(f"topic{number}", MessageField.KEY if number % 5 == 0 else MessageField.VALUE)
    conf = {}
    if number % 4 == 0:
        conf["skip.known.types"] = False
    if number % 7 == 0:
        conf["reference.subject.name.strategy"] = lambda ctx, file: f"{ctx.topic}/{file.name}"
    # the other default strategy asks for associations first
    naming = {"subject.name.strategy.type": "TOPIC"}
    if number % 3 == 0:
        naming = {"subject.name.strategy": record_subject_name_strategy}
    serializer = ProtobufSerializer(schema.kind, client, {**conf, **naming})
    deserializer = ProtobufDeserializer(schema.kind, dict(naming), client)
    return schema, context, serializer, deserializer


def registered(client, subjects):
    found = []
    for subject in subjects:
        schema = client.get_latest_version(subject).schema
        references = [[item.name, item.subject, item.version] for item in schema.references]
        found.append([subject, schema.schema_type, schema.schema_str, references])
    return found


def write(schemas, values):
    for number in range(schemas):
        client = SchemaRegistryClient.new_client({"url": f"mock://{number}"})
        schema, context, serializer, deserializer = make(number, client)
        written = []
        for _ in range(values):
            data = serializer(schema.value(), context)
            written.append(base64.b64encode(data).decode())
        refused = [[bad.hex(), outcome(deserializer, bad, context)] for bad in damaged(schema.rng, data)]
        try:
            serializer(schema.other(), context)
            wrong = "accepted"
        except ValueError as e:
            wrong = "message must be of type" in str(e)
        line = {
            "number": number, "written": written, "refused": refused, "wrong": wrong,
            "registered": registered(client, sorted(client.get_subjects())),
        }  # fmt: skip
        print(json.dumps(line))


def read(path):
    with open(path) as lines:
        for line in lines:
            other = json.loads(line)
            client = SchemaRegistryClient.new_client({"url": f"mock://{other['number']}"})
            schema, context, serializer, deserializer = make(other["number"], client)
            serializer(schema.kind(), context)  # to have the same schemas with the same ids
            same = 0
            for text in other["written"]:
                message = schema.value()
                same += deserializer(base64.b64decode(text), context) == message
            print(json.dumps([other["number"], same]))


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(int(sys.argv[2]), int(sys.argv[3]))
    else:
        read(sys.argv[2])
