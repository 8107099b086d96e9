"""Fields encrypted by rules of the registry's schemas, with a KEK of the client's KMS and with a shared one.

Usage: registry_encryption.py URL
"""

import json
import sys

from confluent_kafka.schema_registry import (
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaRegistryClient,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekRegistryClient
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

FIELDS = [
    {"name": "ssn", "type": "string", "confluent:tags": ["PII"]},
    {"name": "photo", "type": "bytes", "confluent:tags": ["PII"]},
    {"name": "n", "type": "int"},
]
TEXT = json.dumps({"type": "record", "name": "Person", "fields": FIELDS})
SECRET = {"secret": "a secret of the local KMS"}


def rules(kek, expiry):
    params = {"encrypt.kek.name": kek, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "mykey"}
    params["encrypt.dek.expiry.days"] = expiry
    rule = Rule(
        "encrypt", "", RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], RuleParams(params), None, None,
        "ERROR,NONE", False,
    )  # fmt: skip
    return RuleSet(None, [rule])


def main(url):
    FieldEncryptionExecutor.register()
    LocalKmsDriver.register()
    conf = {"url": url, "basic.auth.user.info": "ada:secret"}
    client = SchemaRegistryClient(conf)
    DekRegistryClient(conf).register_kek("shared", "local-kms", "mykey", shared=True)
    person = {"ssn": "123-45-6789", "photo": b"\x00picture\xff", "n": 5}
    for topic, kek, expiry in (("own", "own", "0"), ("other", "shared", "0"), ("rotated", "own", "1")):
        client.register_schema(f"{topic}-value", Schema(TEXT, "AVRO", [], None, rules(kek, expiry)))
        context = SerializationContext(topic, MessageField.VALUE)
        serializer = AvroSerializer(
            client, TEXT, conf={"auto.register.schemas": False, "use.latest.version": True}, rule_conf=SECRET
        )
        data = serializer(dict(person), context)
        print(topic, len(data), b"123-45" in data, b"picture" in data)
        print("with the key", AvroDeserializer(client, rule_conf=SECRET)(data, context))
        dek = DekRegistryClient(conf).get_dek(kek, f"{topic}-value")
        print("dek", dek.version, dek.algorithm.value, dek.key_material is not None)


if __name__ == "__main__":
    main(sys.argv[1])
