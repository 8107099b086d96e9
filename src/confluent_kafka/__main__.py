# SPDX-License-Identifier: Apache-2.0
"""``python -m confluent_kafka``: the command line of this package."""

import sys

from confluent_kafka.cli import main

if __name__ == "__main__":
    sys.exit(main())
