# SPDX-License-Identifier: Apache-2.0
"""Administer topics, groups, offsets and more; usage: administration.py BOOTSTRAP TOPIC (of four partitions)."""

import sys
import time

from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    ElectionType,
    IsolationLevel,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)


class Tour:
    def __init__(self, bootstrap, topic):
        self.bootstrap = bootstrap
        self.topic = topic
        self.new = topic + "-new"
        self.group = topic + "-group"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def say(self, what, *values):
        text = " ".join(str(value) for value in values)
        for name, short in (
            (self.group, "GROUP"),
            (self.new, "NEW"),
            (self.topic, "TOPIC"),
            (self.bootstrap, "BROKER"),
        ):
            text = text.replace(name, short)
        print(f"{what}: {text}")

    def outcome(self, what, future, show=lambda result: result):
        try:
            self.say(what, show(future.result(60)))
        except KafkaException as error:
            self.say(what, "KafkaException", error.args[0].name(), error.args[0].str())

    def outcomes(self, what, futures, show=lambda result: result):
        for key, future in futures.items():
            self.outcome(f"{what} {type(key).__name__} {key}".replace(self.topic, "TOPIC"), future, show)

    def until(self, condition):
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)

    def known(self, topic):
        return topic in self.admin.list_topics(timeout=30).topics

    def topics(self):
        admin = self.admin
        new = [NewTopic(self.new, 2, 1, config={"retention.ms": 60000}), NewTopic(self.topic, num_partitions=1)]
        self.outcomes("validate", admin.create_topics(new[:1], validate_only=True))
        self.say("made by validation", self.known(self.new))
        self.outcomes("create", admin.create_topics(new, operation_timeout=30.0))
        self.until(lambda: self.known(self.new))
        self.outcomes("too many replicas", admin.create_topics([NewTopic(self.new + "2", 1, 7)]))
        self.outcomes("bad name", admin.create_topics([NewTopic("no topic!", 1, 1)]))
        self.outcomes("bad config", admin.create_topics([NewTopic(self.new + "2", 1, 1, config={"no.such": "x"})]))
        self.outcomes("fewer", admin.create_partitions([NewPartitions(self.new, 1)]))
        self.outcomes("grow", admin.create_partitions([NewPartitions(self.new, 3, replica_assignment=[[1]])]))
        self.outcomes("grow unknown", admin.create_partitions([NewPartitions("unknown-topic", 3)]))
        self.until(lambda: len(admin.list_topics(self.new, timeout=30).topics[self.new].partitions) == 3)

        def described(topic):
            partitions = [
                (p.id, p.leader.id, [n.id for n in p.replicas], [str(n.id) for n in p.isr]) for p in topic.partitions
            ]
            return topic.name, topic.is_internal, partitions, topic.authorized_operations, len(str(topic.topic_id))

        collection = TopicCollection([self.new, "unknown-topic"])
        self.outcomes("describe", admin.describe_topics(collection), described)
        asked = admin.describe_topics(TopicCollection([self.new]), include_authorized_operations=True)
        self.outcomes("operations", asked, lambda topic: sorted(op.name for op in topic.authorized_operations))
        self.outcomes("delete", admin.delete_topics([self.new, "unknown-topic"]))
        self.until(lambda: not self.known(self.new))

    def metadata(self):
        found = self.admin.list_topics(self.topic, timeout=30)
        topic = found.topics[self.topic]
        self.say("metadata", str(found) == found.cluster_id == self.admin.cluster_id(30), found.controller_id, topic,
                 topic.error, [(n, p.id, p.leader, p.replicas, p.isrs, p.error) for n, p in topic.partitions.items()],
                 [(n, str(b), b.id) for n, b in found.brokers.items()])  # fmt: skip
        self.say("reprs", repr(topic), repr(topic.partitions[0]), repr(found.brokers[1]))
        cluster = self.admin.describe_cluster(include_authorized_operations=True).result(60)
        self.say("cluster", cluster.cluster_id == found.cluster_id, cluster.controller.id,
                 [(n.id, n.id_string, f"{n.host}:{n.port}", n.rack, str(n)) for n in cluster.nodes],
                 sorted(op.name for op in cluster.authorized_operations))  # fmt: skip
        self.say("without", self.admin.describe_cluster().result(60).authorized_operations)

    def configs(self):
        admin = self.admin
        # Records with timestamps of years ago are to survive this.
        resource = ConfigResource(ResourceType.TOPIC, self.topic)
        resource.add_incremental_config(
            ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)
        )
        resource.add_incremental_config(
            ConfigEntry("retention.ms", "5000000000000", incremental_operation=AlterConfigOpType.SET)
        )
        self.outcomes("incremental", admin.incremental_alter_configs([resource]))

        def entries(found):
            kept = {name: found[name] for name in ("cleanup.policy", "retention.ms", "min.insync.replicas")}
            return [
                (name, e, e.name, e.value, f"{e.source}", e.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value,
                 e.is_read_only, e.is_default, e.is_sensitive, e.is_synonym,
                 sorted((n, s.value, f"{s.source}", s.is_synonym) for n, s in e.synonyms.items()))
                for name, e in kept.items()
            ]  # fmt: skip

        def changed(value):
            return lambda: admin.describe_configs([resource])[resource].result(60)["retention.ms"].value == value

        self.until(changed("5000000000000"))
        self.outcomes("configs", admin.describe_configs([ConfigResource("topic", self.topic)]), entries)
        broker = ConfigResource("broker", "1")
        self.outcomes("broker", admin.describe_configs([broker]), lambda found: (found["node.id"], len(found) > 100))
        self.outcomes("unknown", admin.describe_configs([ConfigResource("TOPIC", "unknown-topic")]))
        bad = ConfigResource(2, self.topic)
        bad.add_incremental_config(ConfigEntry("retention.ms", "x", incremental_operation=AlterConfigOpType.SET))
        self.outcomes("refused", admin.incremental_alter_configs([bad]))
        whole = ConfigResource(ResourceType.TOPIC, self.topic, set_config={"retention.ms": 7000000000000})
        self.outcomes("all", admin.alter_configs([whole]))
        self.until(changed("7000000000000"))
        found = admin.describe_configs([resource])[resource].result(60)
        self.say("reset", found["cleanup.policy"], found["retention.ms"])

    def groups(self):
        admin = self.admin
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for number in range(20):
            producer.produce(self.topic, b"x", partition=number % 4, timestamp=1_600_000_000_000 + number)
        producer.flush(60)
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.group, "client.id": "clerk",
                             "auto.offset.reset": "earliest", "enable.auto.commit": False})  # fmt: skip
        consumer.subscribe([self.topic])
        read = 0
        while read < 20:
            read += sum(message.error() is None for message in consumer.consume(20, timeout=1))
        consumer.commit(asynchronous=False)

        def described(group):
            members = [
                (m.client_id, m.host, m.group_instance_id, m.target_assignment,
                 sorted((p.topic, p.partition) for p in m.assignment.topic_partitions), m.member_id[:6])
                for m in group.members
            ]  # fmt: skip
            return (group.group_id, group.is_simple_consumer_group, members, group.partition_assignor, group.state,
                    group.type, group.coordinator.id, group.authorized_operations)  # fmt: skip

        self.outcomes("group", admin.describe_consumer_groups([self.group, "unknown-group"]), described)
        self.outcomes("busy", admin.delete_consumer_groups([self.group, "unknown-group"]))

        def offsets(result):
            return result.group_id, sorted((p.topic, p.partition, p.offset, p.error) for p in result.topic_partitions)

        one = [ConsumerGroupTopicPartitions(self.group)]
        self.outcomes("offsets", admin.list_consumer_group_offsets(one, require_stable=True), offsets)
        back = [ConsumerGroupTopicPartitions(self.group, [TopicPartition(self.topic, 1, 2)])]
        self.outcomes("alter busy", admin.alter_consumer_group_offsets(back), offsets)
        listed = admin.list_consumer_groups(states={ConsumerGroupState.STABLE}, types={ConsumerGroupType.CLASSIC})
        mine = [g for g in listed.result(60).valid if g.group_id == self.group]
        self.say("listed", [(g.group_id, g.is_simple_consumer_group, g.state, g.type) for g in mine])
        consumer.close()
        listed = admin.list_consumer_groups(states={ConsumerGroupState.STABLE}).result(60)
        self.say("gone", [g.group_id for g in listed.valid if g.group_id == self.group], listed.errors)
        self.outcomes("alter", admin.alter_consumer_group_offsets(back), offsets)
        some = [TopicPartition(self.topic, 1), TopicPartition(self.topic, 3), TopicPartition("unknown-topic", 0)]
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(self.group, some)])
        self.outcomes("some", asked, offsets)

    def offsets(self):
        admin, topic = self.admin, self.topic
        for what, spec in (
            ("earliest", OffsetSpec.earliest()), ("latest", OffsetSpec.latest()),
            ("max timestamp", OffsetSpec.max_timestamp()), ("time", OffsetSpec.for_timestamp(1_600_000_000_008)),
            ("number", OffsetSpec(1_600_000_000_009)), ("late", OffsetSpec.for_timestamp(1_900_000_000_000)),
        ):  # fmt: skip
            asked = admin.list_offsets(
                {TopicPartition(topic, 0): spec}, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=30
            )
            self.outcomes(what, asked, lambda found: (found.offset, found.timestamp, found.leader_epoch))
        self.outcomes("no partition", admin.list_offsets({TopicPartition(topic, 99): OffsetSpec.latest()}))
        records = [TopicPartition(topic, 0, 2), TopicPartition(topic, 1, -1), TopicPartition(topic, 2, 99)]
        self.outcomes("delete records", admin.delete_records(records), lambda deleted: deleted.low_watermark)

    def elections(self):
        place = TopicPartition(self.topic, 0)
        elected = self.admin.elect_leaders(ElectionType.PREFERRED, [place]).result(60)
        self.say("elected", [(p.topic, p.partition, error.name()) for p, error in elected.items()])
        self.say("none", self.admin.elect_leaders(ElectionType.UNCLEAN, []).result(60))

    def security(self):
        admin = self.admin
        rule = (ResourceType.TOPIC, self.topic, ResourcePatternType.LITERAL, "User:ann", "*", AclOperation.READ,
                AclPermissionType.ALLOW)  # fmt: skip
        self.outcomes("acl", admin.create_acls([AclBinding(*rule)]))
        self.outcome("acls", admin.describe_acls(AclBindingFilter(*rule)))
        self.outcomes("no acl", admin.delete_acls([AclBindingFilter(*rule)]))
        user = self.topic + "-ann"
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 5000)
        self.outcomes("set", admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, b"secret")]))
        self.until(lambda: user in admin.describe_user_scram_credentials().result(60))

        def credentials(found):
            return found.user, [(c.mechanism, c.iterations) for c in found.scram_credential_infos]

        self.outcomes("users", admin.describe_user_scram_credentials([user, "nobody"]), credentials)
        few = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 1)
        self.outcomes("few", admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, few, b"secret")]))
        gone = [UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_256)]
        self.outcomes("unset", admin.alter_user_scram_credentials(gone))
        self.until(lambda: user not in admin.describe_user_scram_credentials().result(60))
        self.outcomes("unset again", admin.alter_user_scram_credentials(gone))

    def timeouts(self):
        lost = AdminClient({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
        self.outcomes("late", lost.create_topics([NewTopic("t")], request_timeout=0.2))
        future = lost.describe_cluster(request_timeout=0.2)
        self.say("running", future.running(), future.cancel(), future.done())
        # Not dropped while it is on its way: with confluent-kafka that may hang.
        self.outcome("late too", future)


def main(bootstrap, topic):
    tour = Tour(bootstrap, topic)
    for step in ("metadata", "topics", "configs", "groups", "offsets", "elections", "security", "timeouts"):
        print(f"-- {step}")
        getattr(tour, step)()


if __name__ == "__main__":
    main(*sys.argv[1:])
