"""A claim makes a key somebody's for good."""

from domain.kernel.claim import Claim, ClaimTaken, claim_stream
from tests.support.given import state_after


def test_a_key_has_one_stream_for_good() -> None:
    assert claim_stream("SNAPSHOT", "snap-1") == ("claim", "de25c5de-5ff1-5c09-b9a1-b2882cd199ff")


def test_different_keys_have_different_streams() -> None:
    assert claim_stream("SNAPSHOT", "snap-1") != claim_stream("SNAPSHOT", "snap-2")


def test_a_claim_tells_who_holds_the_key() -> None:
    taken = ClaimTaken(purpose="SNAPSHOT", key="snap-1", holder="o-1", fingerprint="f")
    assert state_after(taken) == Claim(holder="o-1", fingerprint="f")
