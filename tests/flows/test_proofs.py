"""What a proof of a key says if AWS does not take it: a throttled one says nothing of the key, however often."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.case import CallRecord, CallStatus
from chalicelib.domain.state.plan import Operation
from chalicelib.failures import Code, TemporaryError
from chalicelib.flows.perform import MOST_PROOFS, MOST_TRIES, make_call
from tests.domain.worlds import NOW, case

PROOF = Call(Operation.PROVE_KEY, ("key-a",), "making sure")
THROTTLED = TemporaryError("AWS is busy (ThrottlingException)", code=Code.BUSY)
NO_ANSWER = TemporaryError("AWS did not answer", code=Code.NO_ANSWER, unknown=True)
FAILED = TemporaryError("AWS is busy (KMSInternalException)", code=Code.FAILED, unknown=True)
NOT_NOW = TemporaryError("AWS says KMSInvalidStateException", code=Code.MOVED)


def status(trouble: TemporaryError, *, tries: int) -> CallStatus:
    def perform(*_: object, **__: object) -> None:
        raise trouble

    ports: Any = SimpleNamespace(
        actions=SimpleNamespace(perform=perform), count=lambda *_: None, clock=lambda: NOW
    )
    record = CallRecord(Operation.PROVE_KEY, "key-a", NOW, CallStatus.INTENT, "hash", tries=tries)
    done, stop = make_call(ports, case(), PROOF, record)
    assert stop is None, "others follow all the same"
    return done.status


@pytest.mark.parametrize(("trouble", "most"), [(NOT_NOW, MOST_PROOFS), (FAILED, MOST_TRIES)])
def test_a_key_that_can_not_be_used_for_minutes_fails(trouble: TemporaryError, most: int) -> None:
    """It brings its store back, also where KMS fails inside: nobody would hear of it otherwise."""
    assert status(trouble, tries=most - 1) is CallStatus.INTENT
    assert status(trouble, tries=most) is CallStatus.REFUSED


@pytest.mark.parametrize("trouble", [THROTTLED, NO_ANSWER])
def test_a_proof_that_was_never_made_is_tried_for_as_long_as_it_takes(
    trouble: TemporaryError,
) -> None:
    """All programs try again at once when their store is back, and share its quota with the proof."""
    assert status(trouble, tries=50) is CallStatus.INTENT
