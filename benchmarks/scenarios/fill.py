# SPDX-License-Identifier: Apache-2.0
"""Fill an empty topic with the values of positions 0 .. messages-1; run once before the consuming scenarios."""

from __future__ import annotations

from _measure import DEADLINE_S, end_offsets, expect, parser, report, value_at

from confluent_kafka import Producer


def main() -> None:
    options = parser(__doc__).parse_args()
    expect("messages in the new topic", 0, end_offsets(options.bootstrap, options.topic, options.partitions))
    producer = Producer(
        {
            "bootstrap.servers": options.bootstrap,
            # One request in flight at a time: the order in the log is the order of production even after a retry.
            "enable.idempotence": True,
            "queue.buffering.max.messages": 500_000,
        }
    )
    for index in range(options.messages):
        while True:
            try:
                producer.produce(options.topic, value_at(index), partition=index % options.partitions)
                break
            except BufferError:
                producer.poll(0.1)
    expect("messages left by flush()", 0, producer.flush(DEADLINE_S))
    expect(
        "messages on the broker", options.messages, end_offsets(options.bootstrap, options.topic, options.partitions)
    )
    report(options.messages)


if __name__ == "__main__":
    main()
