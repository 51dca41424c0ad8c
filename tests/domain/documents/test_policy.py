"""Which documents there are: the packaged policy, conditions, scopes, days, and what is told of a ruling."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from domain.documents.policy import DOC_TYPES
from tests.support.policies import TODAY, automatic_where, invoices, occasion, policies, policy_text, ruling

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)

FORBIDDEN = policy_text(invoices("FORBIDDEN"))


# What is packaged.


@pytest.mark.parametrize(
    ("doc_type", "outcome", "issuer", "audience"),
    [
        ("RECEIPT", "AUTOMATIC", "the-platform", "BUYER"),
        ("FISCAL_INVOICE", "ON_DEMAND", "the-platform", "BUYER"),
        ("SELLER_STATEMENT", "AUTOMATIC", "the-platform", "SELLER"),
        ("PAYOUT_STATEMENT", "AUTOMATIC", "the-platform", "SELLER"),
        ("CREDIT_NOTE", "FORBIDDEN", "the-platform", "BUYER"),
        ("ADJUSTMENT_STATEMENT", "AUTOMATIC", "the-platform", "BUYER"),
        ("LEDGER_EVIDENCE_PACK", "FORBIDDEN", "the-platform", "FINANCE"),
        ("AUDIT_EXPORT", "FORBIDDEN", "the-platform", "FINANCE"),
    ],
)
def test_an_order_has_these_documents_where_no_country_says_otherwise(
    doc_type: str, outcome: str, issuer: str, audience: str
) -> None:
    ruled = ruling(country_code="ZZ", doc_type=doc_type)
    assert (ruled.outcome, ruled.issuer_entity_id, ruled.audience) == (outcome, issuer, audience)
    assert ruled.verdict.policy == "GENERIC"


def test_only_what_was_invoiced_is_credited() -> None:
    credit = ruling(doc_type="CREDIT_NOTE", fiscal_invoice_issued=True)
    assert (credit.outcome, credit.issuer_entity_id) == ("AUTOMATIC", "the-platform")
    assert ruling(doc_type="CREDIT_NOTE", fiscal_invoice_issued=False).outcome == "FORBIDDEN"


@pytest.mark.parametrize("doc_type", DOC_TYPES)
def test_a_work_order_is_invoiced_and_credited_its_payments_confirmed_and_corrected(
    doc_type: str,
) -> None:
    ruled = ruling(source="WORK_ORDER", platform_id=None, doc_type=doc_type, fiscal_invoice_issued=True)
    has = doc_type in {"FISCAL_INVOICE", "CREDIT_NOTE", "RECEIPT", "ADJUSTMENT_STATEMENT"}
    assert (ruled.outcome, ruled.issuer_entity_id) == ("AUTOMATIC" if has else "FORBIDDEN", "the-seller")


@pytest.mark.parametrize(
    ("country_code", "languages", "tax_model"),
    [
        ("MX", ("es", "en"), "INCLUDED"),
        ("GB", ("en", "es"), "INCLUDED"),
        ("DE", ("de", "en"), "INCLUDED"),
        ("US", ("en", "es"), "ADDED"),
        ("PR", ("es", "en"), "ADDED"),
    ],
)
def test_languages_and_taxes_are_those_of_the_country(
    country_code: str, languages: tuple[str, ...], tax_model: str
) -> None:
    ruled = ruling(country_code=country_code)
    assert (ruled.languages, ruled.tax_model) == (languages, tax_model)
    assert ruled.language == languages[0]


def test_an_order_has_a_platform() -> None:
    with pytest.raises(ValidationError, match="an order has a platform"):
        occasion(platform_id=None)


# Conditions.


@pytest.mark.parametrize(
    ("condition", "differing", "holds"),
    [
        ('buyer_types = ["B2B"]', {"buyer_type": "B2B"}, True),
        ('buyer_types = ["B2B"]', {"buyer_type": "B2C"}, False),
        ('buyer_types = ["B2B", "B2C"]', {"buyer_type": "B2C"}, True),
        ("grand_total_at_least = { MXN = 500 }", {"grand_total": 500}, True),
        ("grand_total_at_least = { MXN = 500 }", {"grand_total": 499}, False),
        ("grand_total_at_least = { MXN = 500 }", {"currency_uom_id": "USD"}, False),
        ("grand_total_at_least = { MXN = 500, USD = 30 }", {"currency_uom_id": "USD"}, True),
        ("grand_total_at_most = { MXN = 500 }", {"grand_total": 500}, True),
        ("grand_total_at_most = { MXN = 500 }", {"grand_total": 501}, False),
        ("grand_total_at_most = { MXN = 500 }", {"currency_uom_id": "USD", "grand_total": 1}, False),
        ('any_line_kind = ["SERVICE"]', {"line_kinds": {"GOODS", "SERVICE"}}, True),
        ('any_line_kind = ["SERVICE"]', {"line_kinds": {"GOODS"}}, False),
        ('any_line_kind = ["SERVICE"]', {"line_kinds": set()}, False),
        ('only_line_kinds = ["SERVICE"]', {"line_kinds": {"SERVICE"}}, True),
        ('only_line_kinds = ["SERVICE"]', {"line_kinds": {"GOODS", "SERVICE"}}, False),
        ('only_line_kinds = ["SERVICE"]', {"line_kinds": set()}, False),
        ("fiscal_invoice_issued = true", {"fiscal_invoice_issued": True}, True),
        ("fiscal_invoice_issued = true", {"fiscal_invoice_issued": False}, False),
        ("fiscal_invoice_issued = false", {"fiscal_invoice_issued": False}, True),
    ],
)
def test_a_condition_holds_or_does_not(condition: str, differing: dict[str, object], *, holds: bool) -> None:
    ruled = ruling(policy_text(automatic_where(condition)), **differing)
    assert ruled.outcome == ("AUTOMATIC" if holds else "ON_DEMAND")


def test_conditions_together_must_all_hold() -> None:
    both = policy_text(automatic_where('buyer_types = ["B2B"]\ngrand_total_at_least = { MXN = 500 }'))
    assert ruling(both, buyer_type="B2B", grand_total=500).outcome == "AUTOMATIC"
    assert ruling(both, buyer_type="B2B", grand_total=499).outcome == "ON_DEMAND"
    assert ruling(both, buyer_type="B2C", grand_total=500).outcome == "ON_DEMAND"


def test_of_alternatives_one_is_enough() -> None:
    either = policy_text(automatic_where('buyer_types = ["B2B"]', "grand_total_at_least = { MXN = 500 }"))
    assert ruling(either, buyer_type="B2B", grand_total=499).outcome == "AUTOMATIC"
    assert ruling(either, buyer_type="B2C", grand_total=500).outcome == "AUTOMATIC"
    assert ruling(either, buyer_type="B2C", grand_total=499).outcome == "ON_DEMAND"


def test_what_does_not_hold_may_be_forbidden() -> None:
    only = policy_text(automatic_where('buyer_types = ["B2B"]', otherwise="FORBIDDEN"))
    assert ruling(only).outcome == "FORBIDDEN"


# Which policy decides.

COUNTRY, TENANT, ISSUER = (
    'country_codes = ["MX", "ES"]',
    'tenant = "acme"',
    'issuer_entity_id = "the-platform"',
)

FROM_LEAST_SPECIFIC = [
    COUNTRY,
    TENANT,
    f"{TENANT}\n{COUNTRY}",
    ISSUER,
    f"{ISSUER}\n{COUNTRY}",
    f"{ISSUER}\n{TENANT}",
    f"{ISSUER}\n{TENANT}\n{COUNTRY}",
]


@pytest.mark.parametrize("count", range(1, len(FROM_LEAST_SPECIFIC) + 1))
def test_the_most_specific_policy_decides(count: int) -> None:
    texts = [
        policy_text(invoices("FORBIDDEN"), name=f"OWN-{number}", scope=scope)
        for number, scope in enumerate(FROM_LEAST_SPECIFIC[:count], 1)
    ]
    assert ruling(*texts, tenant="acme").verdict.policy == f"OWN-{count}"
    assert ruling(*reversed(texts), tenant="acme").verdict.policy == f"OWN-{count}"


@pytest.mark.parametrize(
    ("scope", "differing"),
    [
        (COUNTRY, {"country_code": "GB"}),
        (TENANT, {"tenant": "default"}),
        (f"{TENANT}\n{COUNTRY}", {"tenant": "acme", "country_code": "GB"}),
        (ISSUER, {"platform_id": "another-seller"}),
    ],
)
def test_a_policy_is_not_asked_outside_of_its_scope(scope: str, differing: dict[str, object]) -> None:
    ruled = ruling(policy_text(invoices("FORBIDDEN"), scope=scope), **differing)
    assert (ruled.outcome, ruled.verdict.policy) == ("ON_DEMAND", "GENERIC")


def test_a_policy_holds_on_its_first_and_on_its_last_day_only() -> None:
    for_a_day = policy_text(invoices("FORBIDDEN"), days="valid_from = 2026-11-21\nvalid_to = 2026-11-21")
    outcomes = [ruling(for_a_day, on=day).outcome for day in (YESTERDAY, TODAY, TOMORROW)]
    assert outcomes == ["ON_DEMAND", "FORBIDDEN", "ON_DEMAND"]


def test_editions_follow_each_other() -> None:
    first = policy_text(
        invoices("FORBIDDEN"), name="FIRST", days="valid_from = 2026-01-01\nvalid_to = 2026-11-21"
    )
    second = policy_text(invoices("AUTOMATIC"), name="SECOND", days="valid_from = 2026-11-22")
    assert ruling(first, second, on=TODAY).verdict.policy == "FIRST"
    assert ruling(first, second, on=TOMORROW).verdict.policy == "SECOND"


@pytest.mark.parametrize("on", [date.min, date(1999, 12, 31), date.max])
def test_there_is_a_ruling_on_every_day(on: date) -> None:
    assert ruling(on=on).verdict.policy == "GENERIC"


def test_what_a_policy_leaves_out_the_next_one_says() -> None:
    """Only the outcome is the country's; language, delivery and retention are from where it is general."""
    ruled = ruling(FORBIDDEN)
    assert (ruled.outcome, ruled.verdict.policy) == ("FORBIDDEN", "OWN")
    assert (ruled.issuer_entity_id, ruled.language, ruled.retention_class) == (
        "the-platform",
        "es",
        "COMMERCIAL",
    )
    assert ruled.delivery_method == "EMAIL"


def test_what_a_policy_says_stands_before_what_is_general() -> None:
    more = invoices(
        "ON_DEMAND", 'issuer = "PLATFORM"', 'delivery_method = "PORTAL"', 'retention_class = "CFDI"'
    )
    body = f'{more}\n[[country]]\nlanguages = ["en"]\ntax_model = "ADDED"\n'
    ruled = ruling(policy_text(body))
    assert (ruled.issuer_entity_id, ruled.delivery_method) == ("the-platform", "PORTAL")
    assert (ruled.retention_class, ruled.languages, ruled.tax_model) == ("CFDI", ("en",), "ADDED")


def test_a_policy_may_be_about_languages_alone() -> None:
    ruled = ruling(
        policy_text('[[country]]\nlanguages = ["de", "en"]\n', scope='country_codes = ["CH", "LU"]'),
        country_code="LU",
    )
    assert (ruled.language, ruled.outcome, ruled.verdict.policy) == ("de", "ON_DEMAND", "GENERIC")


def test_what_is_said_of_a_country_stands_before_what_is_said_of_the_others() -> None:
    body = '[[country]]\nlanguages = ["en"]\n[[country]]\ncodes = ["MX"]\nlanguages = ["es"]\n'
    text = policy_text(body, scope='country_codes = ["MX", "US"]')
    assert [ruling(text, country_code=code).languages for code in ("MX", "US")] == [("es",), ("en",)]


def test_a_country_may_have_an_entity_that_issues() -> None:
    text = policy_text(invoices("AUTOMATIC", 'issuer_entity_id = "platform-mx"'))
    assert ruling(text).issuer_entity_id == "platform-mx"


def test_a_credit_note_is_issued_by_who_invoices_there() -> None:
    text = policy_text(invoices("AUTOMATIC", 'issuer_entity_id = "platform-mx"'))
    credit = ruling(text, doc_type="CREDIT_NOTE", fiscal_invoice_issued=True)
    assert credit.issuer_entity_id == "platform-mx"


def test_an_issuers_policy_holds_for_what_that_issuer_issues() -> None:
    text = policy_text(invoices("AUTOMATIC"), scope=ISSUER)
    assert ruling(text).outcome == "AUTOMATIC"
    seller = policy_text(invoices("ON_DEMAND", 'issuer = "SELLER"'), name="SELLER")
    assert ruling(text, seller).outcome == "ON_DEMAND"


# What is told.


def test_a_ruling_names_the_policy_its_version_and_why() -> None:
    verdict = ruling(FORBIDDEN).verdict
    assert (verdict.policy, verdict.version, verdict.reason) == ("OWN", "2026-11-21#1", "It is so.")


def test_a_verdict_tells_that_conditions_do_not_hold() -> None:
    text = policy_text(automatic_where('buyer_types = ["B2B"]'))
    assert ruling(text, buyer_type="B2B").verdict.reason == "It is so."
    assert ruling(text, buyer_type="B2C").verdict.reason == "It is so. Its conditions do not hold here."


def test_an_explanation_tells_each_rule_that_was_looked_at() -> None:
    texts = (
        policy_text(invoices("AUTOMATIC"), name="OTHER", scope='issuer_entity_id = "somebody"'),
        policy_text(
            invoices("AUTOMATIC"), name="LATER", scope='tenant = "default"', days="valid_from = 2027-01-01"
        ),
        policy_text(
            automatic_where(
                'buyer_types = ["B2B"]\ngrand_total_at_least = { MXN = 500 }',
                "grand_total_at_least = { MXN = 20000 }",
                "grand_total_at_most = { USD = 1 }",
            )
        ),
    )
    assert ruling(*texts).explanation == (
        "OTHER 2026-11-21#1 (every country; one issuer) is for documents of another issuer.",
        "LATER 2026-11-21#1 (every country; tenant default) holds from 2027-01-01, not on 2026-11-21.",
        "OWN 2026-11-21#1 (MX) decides about FISCAL_INVOICE of an order: AUTOMATIC where conditions hold,"
        " else ON_DEMAND. It is so.",
        "Conditions do not hold: the buyer is B2C, asked for is B2B.",
        "Conditions do not hold: the grand total is 11600, asked for is at least 20000 (minor units of MXN).",
        "Conditions do not hold: there is no threshold in MXN.",
        "So it is ON_DEMAND.",
        "GENERIC 2026-11-22#1 (every country) is less specific and is not asked.",
        "The issuer is the platform, as GENERIC 2026-11-22#1 says for FISCAL_INVOICE of an order.",
    )


def test_an_explanation_tells_which_conditions_hold() -> None:
    text = policy_text(automatic_where('any_line_kind = ["SERVICE"]\nfiscal_invoice_issued = false'))
    told = ruling(text, line_kinds={"GOODS", "SERVICE"}).explanation
    assert (
        "The conditions hold, so AUTOMATIC: it is about GOODS and SERVICE, asked for is any SERVICE,"
        " of fiscal invoices none was issued, asked for is that none was."
    ) in told


def test_an_explanation_names_no_party() -> None:
    own = policy_text(invoices("AUTOMATIC"), scope=ISSUER)
    entity = policy_text(invoices("AUTOMATIC", 'issuer_entity_id = "person-7"'), name="ENTITY")
    for texts in ((), (own,), (entity,)):
        for doc_type in DOC_TYPES:
            told = " ".join(ruling(*texts, doc_type=doc_type).explanation)
            assert not any(party in told for party in ("the-seller", "the-platform", "person-7"))


def test_policies_are_listed_with_the_most_specific_first() -> None:
    loaded = policies(FORBIDDEN, policy_text(invoices("FORBIDDEN"), name="TENANT", scope=TENANT))
    assert [policy.name for policy in loaded.policies] == ["TENANT", "OWN", "GENERIC"]
