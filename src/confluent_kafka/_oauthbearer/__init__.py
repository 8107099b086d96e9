# SPDX-License-Identifier: Apache-2.0
"""Sources of SASL/OAUTHBEARER tokens that librdkafka does not have itself."""
