# SPDX-License-Identifier: Apache-2.0
"""SCRAM credentials of users. Source: KIP-554."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._model._ordered_enum import OrderedEnum


class ScramMechanism(OrderedEnum):
    """Hash function of a credential. Source: rd_kafka_ScramMechanism_t."""

    UNKNOWN = 0
    SCRAM_SHA_256 = 1
    SCRAM_SHA_512 = 2


@dataclass(unsafe_hash=True)
class ScramCredentialInfo:
    """``ScramCredentialInfo(mechanism, iterations)``: what a broker tells of a credential; the secret stays there."""

    mechanism: ScramMechanism
    iterations: int


@dataclass
class UserScramCredentialsDescription:
    """``UserScramCredentialsDescription(user, scram_credential_infos)``: the credentials that a user has."""

    user: str
    scram_credential_infos: list[ScramCredentialInfo]

    def __hash__(self) -> int:
        return hash(self.user)


@dataclass(unsafe_hash=True)
class UserScramCredentialAlteration:
    """Base of what ``alter_user_scram_credentials`` does to one user."""

    user: str


@dataclass(unsafe_hash=True)
class UserScramCredentialUpsertion(UserScramCredentialAlteration):
    """Sets a credential, replacing one of the same mechanism.

    Args:
        scram_credential_info: mechanism, and iterations: 4096 to 16384 with Kafka's brokers.
        password: bytes, not empty. Only what is derived from it is sent.
        salt: bytes, not empty; None makes a random one.
    """

    scram_credential_info: ScramCredentialInfo
    password: bytes = field(repr=False)
    salt: bytes | None = field(default=None, repr=False)


@dataclass(unsafe_hash=True)
class UserScramCredentialDeletion(UserScramCredentialAlteration):
    """``UserScramCredentialDeletion(user, mechanism)``: removes the user's credential of this mechanism."""

    mechanism: ScramMechanism
