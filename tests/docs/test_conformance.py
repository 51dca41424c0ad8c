"""Every mark names a decision or a rule that there is, and every decision and rule has its tests."""

from tests.docs.conformance import rules, shown_rules, shown_sentences
from tests.support.decisions import DECISIONS


def test_every_mark_names_a_decision_and_every_decision_is_shown() -> None:
    assert {each.decision for each in shown_sentences()} == DECISIONS.keys()


def test_no_sentence_is_there_twice_for_one_test() -> None:
    shown = shown_sentences()
    assert len(set(shown)) == len(shown)


def test_every_mark_names_a_rule_and_every_rule_is_shown() -> None:
    numbers = [number for sentences in rules().values() for number in sentences]
    assert len(set(numbers)) == len(numbers) > 50
    assert shown_rules().keys() == set(numbers)


def test_every_rule_demands_something() -> None:
    for sentences in rules().values():
        assert not [number for number, sentence in sentences.items() if "MUST" not in sentence]


def test_no_test_shows_a_rule_twice() -> None:
    for tests in shown_rules().values():
        assert len(set(tests)) == len(tests)
