"""SASL as a server speaks it (RFC 4422): PLAIN, LOGIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS.

An exchange gets decoded responses and answers with a step: a challenge, credentials or a proof that
someone else must judge, a question for keys, or a failure.  Whoever drives it does what a step says.
"""

from mailsys.wire.sasl.base64_lines import RESPONSE_OCTETS, begin, encode, step
from mailsys.wire.sasl.mechanisms import MECHANISMS, SCRAM, SCRAM_PLUS, exchange, offered, passwords_allowed
from mailsys.wire.sasl.steps import (
    Challenge,
    Credentials,
    Exchange,
    Failed,
    KeysWanted,
    Proven,
    Refusal,
    ScramKeys,
    Step,
)

__all__ = [
    "MECHANISMS",
    "RESPONSE_OCTETS",
    "SCRAM",
    "SCRAM_PLUS",
    "Challenge",
    "Credentials",
    "Exchange",
    "Failed",
    "KeysWanted",
    "Proven",
    "Refusal",
    "ScramKeys",
    "Step",
    "begin",
    "encode",
    "exchange",
    "offered",
    "passwords_allowed",
    "step",
]
