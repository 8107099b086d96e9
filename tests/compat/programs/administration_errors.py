# SPDX-License-Identifier: Apache-2.0
"""What AdminClient refuses before it asks anybody: usage: administration_errors.py BOOTSTRAP TOPIC."""

import sys
import warnings

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    ElectionType,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

SET = AlterConfigOpType.SET
SHA = ScramMechanism.SCRAM_SHA_256
GROUP = ConsumerGroupTopicPartitions
PLACE = TopicPartition
RESOURCE = ConfigResource("topic", "t", {"a": "b"})
ACL = AclBinding("topic", "t", "literal", "User:u", "*", "read", "allow")
FILTER = AclBindingFilter("topic", "t", "literal", "User:u", "*", "read", "allow")


def changes(*entries):
    return [ConfigResource("topic", "t", incremental_configs=list(entries))]


def upsert(user="u", info=None, password=b"p", salt=None, mechanism=SHA, iterations=4096):
    return [UserScramCredentialUpsertion(user, info or ScramCredentialInfo(mechanism, iterations), password, salt)]


CALLS = {
    "create_topics": [
        [], (), None, [None], ["t"], [NewPartitions("t", 3)],
        [NewTopic("t", 1, 1, [[1]])], [NewTopic("t", replica_assignment=[[1]])],
        [NewTopic("t", 2, replica_assignment=[[1]])], [NewTopic("t", 2, replica_assignment=[["a"], ["b"]])],
        [NewTopic("t", 2, replica_assignment=[1, 2])], [NewTopic("t", 2, replica_assignment=3)],
    ],
    "delete_topics": [[], None, ("t",), "t"],
    "create_partitions": [[], None, [1], [NewTopic("t")], [NewPartitions("t", 2, [1])], [NewPartitions("t", 2, "x")]],
    "describe_topics": [
        ["t"], None, TopicCollection("t"), TopicCollection([1]), TopicCollection([""]), TopicCollection(["a", ""])
    ],
    "describe_configs": [[], None, "t", [1], [ConfigResource(2, "")]],
    "alter_configs": [[], None, "t", [1], [ConfigResource(2, "")]],
    "incremental_alter_configs": [
        [], None, "t", [1], [ConfigResource(2, "")], [RESOURCE], changes(), changes(3),
        changes(ConfigEntry("a", "b", incremental_operation=SET), 3), changes(ConfigEntry("a", "b")),
        changes(ConfigEntry("a", None, incremental_operation=SET)),
        changes(ConfigEntry("", "b", incremental_operation=SET)),
    ],
    "create_acls": [[], None, "x", [None], [FILTER], [ACL, ACL]],
    "describe_acls": [None, [FILTER], ACL],
    "delete_acls": [[], None, "x", [None], [ACL], [FILTER, FILTER]],
    "describe_consumer_groups": [[], None, ("g",), "g"],
    "delete_consumer_groups": [[], None, ("g",), "g", [1], [None]],
    "list_consumer_group_offsets": [
        None, "g", (), [], [1], [None], [GROUP("")], [GROUP(None)], [GROUP(3)], [GROUP("g", [])], [GROUP("g", "t")],
        [GROUP("g", [None])], [GROUP("g", ["t"])], [GROUP("g", [PLACE("", 0)])], [GROUP("g", [PLACE("t", -1)])],
        [GROUP("g", [PLACE("t", 0, 3)])],
    ],
    "alter_consumer_group_offsets": [
        None, "g", (), [], [1], [None], [GROUP("")], [GROUP(None)], [GROUP(3)], [GROUP("g")], [GROUP("g", [])],
        [GROUP("g", "t")], [GROUP("g", [None])], [GROUP("g", ["t"])], [GROUP("g", [PLACE("", 0, 1)])],
        [GROUP("g", [PLACE("t", -1, 1)])], [GROUP("g", [PLACE("t", 0)])], [GROUP("g", [PLACE("t", 0, -1)])],
    ],
    "list_offsets": [
        None, [], {"t": OffsetSpec.latest()}, {PLACE("t", 0): 1}, {PLACE("t", 0): None},
        {PLACE("", 0): OffsetSpec.latest()}, {PLACE("t", -1): OffsetSpec.latest()},
    ],
    "delete_records": [None, (), [1], [PLACE("t", -1)]],
    "elect_leaders": [1, None],
    "describe_user_scram_credentials": [("u",), "u", [1], [None], [""]],
    "alter_user_scram_credentials": [
        None, (), [], [1], [UserScramCredentialAlteration("u")], upsert(user=None), upsert(user=3), upsert(user=""),
        upsert(info=3), upsert(mechanism=1), upsert(iterations=0), upsert(iterations="x"), upsert(password=None),
        upsert(password="p"), upsert(password=b""), upsert(salt="s"), upsert(salt=b""),
        [UserScramCredentialDeletion("u", 1)], [UserScramCredentialDeletion("", SHA)],
    ],
}  # fmt: skip
OPTIONS = [
    ("create_topics", [NewTopic("t")], option, value)
    for option, values in {
        "request_timeout": [-1, 3601, float("nan"), "3", None],
        "operation_timeout": [3601, "3"],
        "validate_only": [1, None],
        "foo": [1],
    }.items()
    for value in values
] + [
    ("describe_configs", [RESOURCE], "broker", "1"),
    ("describe_topics", TopicCollection(["t"]), "include_authorized_operations", 1),
    ("list_consumer_group_offsets", [GROUP("g")], "require_stable", 1),
    ("list_offsets", {PLACE("t", 0): OffsetSpec.latest()}, "isolation_level", 1),
]
ELECTIONS = [
    (1,),
    (ElectionType.PREFERRED, "t"),
    (ElectionType.PREFERRED, [1]),
    (ElectionType.PREFERRED, [PLACE("t", -1)]),
]
LISTINGS = [
    {"states": [ConsumerGroupState.STABLE]}, {"states": {1}}, {"types": [ConsumerGroupType.CLASSIC]},
    {"types": {ConsumerGroupState.STABLE}},
]  # fmt: skip
MAKE = {
    "NewTopic": (
        NewTopic,
        [(), (None,), (3,), ("t", "3"), ("t", 2**40), ("t", 1, 1, None, None), ("t", 1, 1, None, ["a"])],
    ),
    "NewPartitions": (NewPartitions, [(), ("t",), (None, 1), ("t", "3")]),
    "ConfigResource": (ConfigResource, [("zz", "t"), (99, "t"), ("topic", None)]),
    "AclBinding": (
        AclBinding,
        [
            (None, "t", "literal", "u", "*", "read", "allow"), ("topic", None, "literal", "u", "*", "read", "allow"),
            ("topic", 3, "literal", "u", "*", "read", "allow"), ("any", "t", "literal", "u", "*", "read", "allow"),
            ("topic", "t", "match", "u", "*", "read", "allow"), ("topic", "t", "any", "u", "*", "read", "allow"),
            ("topic", "t", "literal", None, "*", "read", "allow"), ("topic", "t", "literal", "u", 3, "read", "allow"),
            ("topic", "t", "literal", "u", "*", "any", "allow"), ("topic", "t", "literal", "u", "*", "read", "any"),
            ("topic", "t", "literal", "u", "*", "zz", "allow"),
        ],
    ),
    "AclBindingFilter": (
        AclBindingFilter,
        [
            ("unknown", "t", "literal", "u", "*", "read", "allow"), (None, "t", "literal", "u", "*", "read", "allow"),
            ("topic", 3, "literal", "u", "*", "read", "allow"), ("topic", "t", "zz", "u", "*", "read", "allow"),
        ],
    ),
    "OffsetSpec": (OffsetSpec, [(-4,)]),
}  # fmt: skip


# Whose words are the interpreter's, or name what is not possible there: only the type is promised.
TYPE_ONLY = (
    "delete_topics 1",
    "incremental_alter_configs 9",
    "list_consumer_group_offsets 3",
    "alter_consumer_group_offsets 3",
    "alter_user_scram_credentials 11",
    "create_topics request_timeout='3'",
    "create_topics request_timeout=None",
    "create_topics operation_timeout='3'",
    "NewTopic 0",
    "NewPartitions 0",
    "NewPartitions 1",
)


def attempt(what, call):
    try:
        call()
        print(what, "accepted")
    except Exception as error:
        print(what, type(error).__name__, "" if what in TYPE_ONLY else str(error).strip())


def main(bootstrap, topic):
    warnings.simplefilter("ignore", DeprecationWarning)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for method, arguments in CALLS.items():
        for number, argument in enumerate(arguments):
            attempt(f"{method} {number}", lambda method=method, argument=argument: getattr(admin, method)(argument))
    for method, argument, option, value in OPTIONS:
        attempt(
            f"{method} {option}={value!r}",
            lambda method=method, argument=argument, option=option, value=value: getattr(admin, method)(
                argument, **{option: value}
            ),
        )
    for arguments in ELECTIONS:
        attempt(f"elect_leaders {arguments[1:]}", lambda arguments=arguments: admin.elect_leaders(*arguments))
    for options in LISTINGS:
        attempt(f"list_consumer_groups {options}", lambda options=options: admin.list_consumer_groups(**options))
    for name, (kind, all_arguments) in MAKE.items():
        for number, arguments in enumerate(all_arguments):
            attempt(f"{name} {number}", lambda kind=kind, arguments=arguments: kind(*arguments))
    for empty in (
        admin.describe_topics(TopicCollection([])), admin.list_offsets({}), admin.delete_records([]),
        admin.describe_user_scram_credentials([]), admin.elect_leaders(ElectionType.UNCLEAN, []).result(60),
    ):  # fmt: skip
        print("empty", empty)
    with admin:
        pass
    for method in ("create_topics", "list_topics", "cluster_id", "describe_cluster"):
        arguments = [[NewTopic("t")]] if method == "create_topics" else []
        attempt(f"closed {method}", lambda method=method, arguments=arguments: getattr(admin, method)(*arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
