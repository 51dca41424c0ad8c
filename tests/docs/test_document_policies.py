"""What operators are told of document policies: the example is sound, and every field has its words."""

import re

from domain.documents.policy_data import Conditions, Policy, Practice, Rule, Scope
from tests.support.policies import ruling
from tests.support.source_tree import PROJECT

TEXT = (PROJECT / "docs/operators.md").read_text("utf-8")
SECTION = TEXT.partition("\n## Document policies\n")[2].partition("\n## ")[0]


def test_the_example_says_what_it_covers() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
    then = {"on": "2027-01-01"}
    assert ruling(example, **then, buyer_type="B2B").outcome == "AUTOMATIC"
    assert ruling(example, **then, grand_total=2_000_000).outcome == "AUTOMATIC"
    assert ruling(example, **then, grand_total=1_999_999).outcome == "ON_DEMAND"
    assert ruling(example, **then).issuer_entity_id == "platform-mx"


def test_every_field_is_told() -> None:
    told = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"^\| `.*", SECTION, re.MULTILINE))))
    fields = {name for model in (Conditions, Policy, Practice, Rule, Scope) for name in model.model_fields}
    assert fields <= told
