"""Keys for field encryption: KEKs and DEKs, registered and read by the DEK registry client.

Usage: registry_keys.py URL
"""

import sys

from confluent_kafka.schema_registry import SchemaRegistryError
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import (
    DekAlgorithm,
    DekRegistryClient,
)


def failure(call, *args, **kwargs):
    """What a call that must fail raises."""
    try:
        return ("no error", call(*args, **kwargs))
    except SchemaRegistryError as error:
        return error.http_status_code, error.error_code


def main(url):
    conf = {"url": url, "basic.auth.user.info": "ada:secret"}
    client = DekRegistryClient(conf)
    print("no kek", failure(client.get_kek, "kek1"))
    kek = client.register_kek("kek1", "local-kms", "mykey", kms_props={"a": "b"}, doc="a key")
    print("kek", kek.name, kek.kms_type, kek.kms_key_id, kek.kms_props.properties, kek.doc, kek.shared, kek.ts > 0)
    other = DekRegistryClient(conf)
    print(
        "same",
        other.get_kek("kek1").kms_key_id,
        failure(DekRegistryClient(conf).register_kek, "kek1", "local-kms", "k"),
    )
    print("no dek", failure(client.get_dek, "kek1", "s"))
    client.register_dek("kek1", "s", "bWF0ZXJpYWw=")
    client.register_dek("kek1", "s", "c2l2", algorithm=DekAlgorithm.AES256_SIV)
    client.register_dek("kek1", "s", "c2Vjb25k", version=2)
    for version in (1, 2, -1):
        dek = other.get_dek("kek1", "s", version=version)
        print("dek", dek.kek_name, dek.subject, dek.version, str(dek.algorithm.value), dek.encrypted_key_material)
        print("clear", dek.key_material, dek.ts > 0)
    print("siv", other.get_dek("kek1", "s", algorithm=DekAlgorithm.AES256_SIV).encrypted_key_material)
    print("twice", failure(DekRegistryClient(conf).register_dek, "kek1", "s", "eA=="))
    shared = client.register_kek("kek2", "local-kms", "k", shared=True)
    made = client.register_dek("kek2", "a/b:c", None)
    print("shared", shared.shared, len(made.get_key_material_bytes()))


if __name__ == "__main__":
    main(sys.argv[1])
