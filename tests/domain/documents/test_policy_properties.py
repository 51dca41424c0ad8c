"""Whatever sound policies there are, each occasion has exactly one ruling, that of the most specific one."""

from datetime import date
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.documents.policy import DOC_TYPES, SOURCES, DocumentPolicies, Occasion
from domain.documents.policy_data import Conditions, Policy, Rule, Scope
from tests.support.policies import policies

GENERIC = policies().policies
COUNTRIES, TENANTS, PARTIES = ("MX", "ES", "ZZ"), ("default", "acme"), ("one", "two")
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 9))
ANY_DAY = st.one_of(DAYS, st.dates())
OUTCOMES = ("AUTOMATIC", "ON_DEMAND", "FORBIDDEN")

conditions = st.fixed_dictionaries(
    {"buyer_types": st.sampled_from([("B2C",), ("B2B",)])},
    optional={"grand_total_at_least": st.fixed_dictionaries({"MXN": st.integers(0, 10)})},
).map(Conditions.model_validate)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """A sound rule that names no issuer."""
    outcome = draw(st.sampled_from(OUTCOMES))
    when = draw(st.lists(conditions, max_size=2))
    otherwise = draw(st.sampled_from([each for each in OUTCOMES if each != outcome])) if when else None
    return Rule(
        doc_type=draw(st.sampled_from(DOC_TYPES)),
        sources=(draw(st.sampled_from(SOURCES)),),
        outcome=outcome,
        otherwise=otherwise,
        when=tuple(when),
        reason="It is so.",
    )


@st.composite
def some_policies(draw: st.DrawFn) -> list[Policy]:
    """Sound policies, and the packaged ones: no two that rival each other."""
    chosen = [*GENERIC]
    for number in range(draw(st.integers(0, 6))):
        first, last = draw(DAYS), draw(st.none() | DAYS)
        policy = Policy(
            name=f"OWN-{number}",
            version="2026-11-21#1",
            covers="An example.",
            valid_from=first if last is None else min(first, last),
            valid_to=last if last is None else max(first, last),
            scope=Scope(
                country_codes=draw(st.none() | st.lists(st.sampled_from(COUNTRIES), min_size=1)),
                tenant=draw(st.none() | st.sampled_from(TENANTS)),
                issuer_entity_id=draw(st.none() | st.sampled_from(PARTIES)),
            ),
            rule=draw(
                st.lists(
                    rules(), min_size=1, max_size=8, unique_by=lambda rule: (rule.doc_type, rule.sources)
                )
            ),
        )
        if not any(policy.scope.rivals(each.scope) and policy.shares_a_day_with(each) for each in chosen):
            chosen.append(policy)
    return draw(st.permutations(chosen))


occasions = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from(TENANTS),
        "country_code": st.sampled_from(COUNTRIES),
        "source": st.sampled_from(SOURCES),
        "doc_type": st.sampled_from(DOC_TYPES),
        "platform_id": st.sampled_from(PARTIES),
        "seller_id": st.sampled_from(PARTIES),
        "buyer_type": st.sampled_from(["B2C", "B2B"]),
        "currency_uom_id": st.sampled_from(["MXN", "USD"]),
        "grand_total": st.integers(0, 10),
        "line_kinds": st.frozensets(st.sampled_from(["GOODS", "SERVICE"])),
        "on": ANY_DAY,
        "fiscal_invoice_issued": st.booleans(),
    }
).map(Occasion.model_validate)


@settings(max_examples=300)
@given(chosen=some_policies(), occasion=occasions)
def test_each_occasion_has_exactly_one_ruling(chosen: list[Policy], occasion: Occasion) -> None:
    ruled = DocumentPolicies(chosen).rule_on(occasion)
    holding = [
        policy
        for policy in chosen
        if policy.holds(occasion.on)
        and policy.scope.fits(occasion.tenant, occasion.country_code)
        and policy.scope.issuer_entity_id in (None, ruled.issuer_entity_id)
        and any((r.doc_type, occasion.source) == (occasion.doc_type, r.sources[0]) for r in policy.rule)
    ] or [*GENERIC]
    decisive = max(holding, key=lambda policy: policy.scope.specificity)
    assert (ruled.verdict.policy, ruled.verdict.version) == (decisive.name, decisive.version)
    assert sum(" decides about " in told for told in ruled.explanation) == 1
    assert ruled == DocumentPolicies(reversed(chosen)).rule_on(occasion)


def test_the_packaged_policies_rule_on_every_kind_of_occasion() -> None:
    for doc_type, source, invoiced in product(DOC_TYPES, SOURCES, [False, True]):
        ruled = policies().rule_on(
            Occasion(
                tenant="default",
                country_code="ZZ",
                source=source,
                doc_type=doc_type,
                platform_id="platform",
                seller_id="seller",
                buyer_type="B2C",
                currency_uom_id="XXX",
                grand_total=0,
                line_kinds=frozenset(),
                on=date(2026, 11, 21),
                fiscal_invoice_issued=invoiced,
            )
        )
        assert ruled.verdict.policy == "GENERIC"
