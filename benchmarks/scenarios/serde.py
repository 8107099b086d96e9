# SPDX-License-Identifier: Apache-2.0
"""Serialize or deserialize the same order again and again, one call each."""

from __future__ import annotations

from _measure import Stopwatch, expect, report
from _serde import arguments, context, serdes


def main() -> None:
    options = arguments(__doc__).parse_args()
    _, order, serializer, deserializer = serdes(options.format)
    ctx = context()
    data = serializer(order, ctx)
    expect("what comes back", order, deserializer(data, ctx))
    call, given, result = (
        (serializer, order, data) if options.work == "serialize" else (deserializer, data, deserializer(data, ctx))
    )
    for _ in range(options.messages // 10):
        call(given, ctx)
    watch = Stopwatch()
    watch.start_process()
    watch.start_thread()
    for _ in range(options.messages):
        last = call(given, ctx)
    watch.stop()
    expect("the last result", result, last)
    report(options.messages, watch)


if __name__ == "__main__":
    main()
