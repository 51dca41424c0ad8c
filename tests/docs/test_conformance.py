"""Every mark names a decision that there is, and every decision has its tests."""

from tests.docs.conformance import shown_sentences
from tests.support.decisions import DECISIONS


def test_every_mark_names_a_decision_and_every_decision_is_shown() -> None:
    assert {each.decision for each in shown_sentences()} == DECISIONS.keys()


def test_no_sentence_is_there_twice_for_one_test() -> None:
    shown = shown_sentences()
    assert len(set(shown)) == len(shown)
