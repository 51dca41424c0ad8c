"""Policy files: the packaged one rules on everything, and what is wrong is told by file and line."""

import tomllib
from importlib import resources

import pytest

from domain.documents.policy_files import read_policies
from tests.support.policies import automatic_where, invoices, policies, policy_text

GENERIC = resources.files("domain.documents").joinpath("policies/generic.toml").read_text("utf-8")

SOUND = policy_text(
    automatic_where('buyer_types = ["B2B"]')
    + '\n[[country]]  # all others\nlanguages = ["es", "en"]\n'
    + '\n[[country]]\ncodes = ["MX"]\ntax_model = "ADDED"\n'
)


def _line(text: str, part: str) -> int:
    """The number of the last line that begins with `part`."""
    return max(number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(part))


def _fault(*texts: str) -> str:
    with pytest.raises(ValueError, match=r"^own-\d\.toml:\d+: ") as fault:
        policies(*texts)
    return str(fault.value)


def test_a_sound_file_is_read() -> None:
    assert [policy.name for policy in policies(SOUND).policies] == ["OWN", "GENERIC"]


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ('name = "OWN"', 'name = "own"', "name", "pattern"),
        ('version = "2026-11-21#1"', 'version = "1"', "version", "pattern"),
        ("valid_from = 2026-01-01", 'valid_from = "soon"', "valid_from", "date"),
        ("valid_from = 2026-01-01", "valid_from = 2026-01-01\nvalid_to = 2025-12-31", "name", "before"),
        ('covers = "An example."', 'covers = ""', "covers", "at least 1 character"),
        ('country_codes = ["MX"]', 'country_codes = ["mx"]', "country_codes", "pattern"),
        ('country_codes = ["MX"]', "country_codes = []", "country_codes", "at least 1 item"),
        ('country_codes = ["MX"]', 'seller = "x"', "seller", "Extra inputs"),
        ('doc_type = "FISCAL_INVOICE"', 'doc_type = "LETTER"', "doc_type", "RECEIPT"),
        ('sources = ["ORDER"]', 'sources = ["CART"]', "sources", "WORK_ORDER"),
        ('outcome = "AUTOMATIC"', 'outcome = "CONDITIONAL"', "outcome", "ON_DEMAND"),
        ('outcome = "AUTOMATIC"', 'outcome = "ON_DEMAND"', "[[rule]]", "outcome that there is anyway"),
        ('otherwise = "ON_DEMAND"', "", "[[rule]]", "`when` and `otherwise` go together"),
        ('reason = "It is so."', "", "[[rule]]", "Field required"),
        ('reason = "It is so."', 'reason = "It is so"', "reason", "pattern"),
        ('reason = "It is so."', 'reason = "It\\nis so."', "reason", "pattern"),
        ('buyer_types = ["B2B"]', 'buyer_types = ["B2G"]', "buyer_types", "B2C"),
        ('buyer_types = ["B2B"]', "", "[[rule.when]]", "a condition is missing"),
        ('buyer_types = ["B2B"]', "grand_total_at_least = { MXP = 1 }", "grand_total", "ISO 4217"),
        ('buyer_types = ["B2B"]', "grand_total_at_least = { MXN = 1.5 }", "grand_total", "integer"),
        ('buyer_types = ["B2B"]', "grand_total_at_least = { MXN = -1 }", "grand_total", "equal to 0"),
        ('buyer_types = ["B2B"]', "grand_total_at_most = {}", "grand_total_at_most", "at least 1 item"),
        ('buyer_types = ["B2B"]', 'fiscal_invoice_issued = "yes"', "fiscal_invoice", "boolean"),
        ('languages = ["es", "en"]', 'languages = ["fr"]', "languages", "'de'"),
        ('languages = ["es", "en"]', 'languages = ["es", "es"]', "[[country]]  #", "twice"),
        ('languages = ["es", "en"]', "", "[[country]]  #", "is missing"),
        ('\ncodes = ["MX"]', '\ncodes = ["ES"]', "codes = ", "ES is not in the policy's scope"),
        ('\ncodes = ["MX"]', '\nlanguages = ["es"]', "languages", "said before, for every other country"),
    ],
)
def test_a_fault_is_told_with_file_and_line(old: str, new: str, at: str, says: str) -> None:
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    told = _fault(text)
    assert told.startswith(f"own-1.toml:{_line(text, at)}: ")
    assert says in told


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        (
            policy_text(invoices("ON_DEMAND", 'issuer = "SELLER"', 'issuer_entity_id = "x"')),
            "[[rule]]",
            "either `issuer` or `issuer_entity_id`",
        ),
        (
            policy_text(invoices("ON_DEMAND", 'issuer = "SELLER"'), scope='issuer_entity_id = "x"'),
            "issuer = ",
            "a policy of one issuer cannot say who issues",
        ),
        (
            policy_text(
                invoices("ON_DEMAND", 'issuer_entity_id = "y"').replace("FISCAL_INVOICE", "CREDIT_NOTE")
            ),
            'issuer_entity_id = "y"',
            "a credit note is issued by who issues the fiscal invoice",
        ),
        (
            policy_text(invoices("AUTOMATIC", 'issuer = "SELLER"').replace('["ORDER"]', '["WORK_ORDER"]')),
            "issuer = ",
            "documents of a work order are issued by its own issuer",
        ),
        (
            policy_text(invoices("ON_DEMAND") + invoices("FORBIDDEN")),
            "doc_type",
            "there is another rule about FISCAL_INVOICE of ORDER",
        ),
        (
            policy_text(invoices("ON_DEMAND").replace("FISCAL_INVOICE", "AUDIT_EXPORT")),
            "outcome",
            "AUDIT_EXPORT of ORDER can only be FORBIDDEN",
        ),
        (
            policy_text(automatic_where('buyer_types = ["B2B"]').replace("FISCAL_INVOICE", "RECEIPT")),
            "outcome",
            "RECEIPT of ORDER can only be AUTOMATIC",
        ),
        (
            policy_text(invoices("ON_DEMAND").replace('["ORDER"]', '["WORK_ORDER"]')),
            "outcome",
            "FISCAL_INVOICE of WORK_ORDER can only be AUTOMATIC",
        ),
        (policy_text(""), "name", "there is no [[rule]] and no [[country]]"),
    ],
)
def test_what_a_rule_cannot_say_is_told_with_its_line(text: str, at: str, says: str) -> None:
    told = _fault(text)
    assert told.startswith(f"own-1.toml:{_line(text, at)}: ")
    assert says in told


def test_a_file_that_is_no_toml_is_told_with_its_line() -> None:
    assert _fault('name = "OWN"\nversion = \n').startswith("own-1.toml:2: ")


def test_every_fault_of_every_file_is_told_at_once() -> None:
    one = SOUND.replace('outcome = "AUTOMATIC"', 'outcome = "NEVER"').replace('name = "OWN"', 'name = "own"')
    told = _fault(one, SOUND, 'name = "TWO"').splitlines()
    assert {line.partition(":")[0] for line in told} == {"own-1.toml", "own-3.toml"}
    assert sum(line.startswith("own-1.toml:") for line in told) == 2


@pytest.mark.parametrize(
    ("scope", "other"),
    [
        ('country_codes = ["MX", "ES"]', 'country_codes = ["ES", "PT"]'),
        ('tenant = "acme"', 'tenant = "acme"'),
        ('issuer_entity_id = "x"', 'issuer_entity_id = "x"'),
        ('tenant = "acme"\ncountry_codes = ["MX"]', 'tenant = "acme"\ncountry_codes = ["MX"]'),
    ],
)
def test_two_policies_for_the_same_scope_and_day_are_a_fault(scope: str, other: str) -> None:
    first = policy_text(invoices("FORBIDDEN"), name="FIRST", scope=scope)
    second = policy_text(
        invoices("FORBIDDEN"),
        name="SECOND",
        scope=other,
        days="valid_from = 2026-05-01\nvalid_to = 2026-05-01",
    )
    told = _fault(first, second)
    assert told.startswith(f"own-2.toml:{_line(second, 'valid_from')}: ")
    assert "SECOND 2026-11-21#1 and FIRST 2026-11-21#1 hold on the same day for the same scope" in told
    before = first.replace("valid_from = 2026-01-01", "valid_from = 2026-01-01\nvalid_to = 2026-04-30")
    assert len(policies(before, second).policies) == 3


@pytest.mark.parametrize(
    "other", ['country_codes = ["ES"]', 'tenant = "acme"', 'tenant = "acme"\ncountry_codes = ["MX"]']
)
def test_policies_of_different_scopes_may_hold_on_the_same_day(other: str) -> None:
    assert len(policies(SOUND, policy_text(invoices("FORBIDDEN"), name="OTHER", scope=other)).policies) == 3


def test_no_own_policy_takes_the_place_of_the_packaged_one() -> None:
    told = _fault(GENERIC.replace('"GENERIC"', '"MINE"'))
    assert "hold on the same day for the same scope: every country" in told


def test_two_files_of_the_same_name_and_version_are_a_fault() -> None:
    told = _fault(SOUND, policy_text(invoices("FORBIDDEN"), scope='country_codes = ["ES"]'))
    assert told.startswith("own-2.toml:2: version: another file is OWN 2026-11-21#1, too")


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        (
            'doc_type = "RECEIPT"\nsources = ["ORDER"]',
            'doc_type = "RECEIPT"\nsources = []',
            "sources",
            "item",
        ),
        (
            'sources = ["ORDER", "WORK_ORDER"]\noutcome = "FORBIDDEN"',
            'sources = ["ORDER"]\noutcome = "FORBIDDEN"',
            "name",
            "rules on LEDGER_EVIDENCE_PACK of WORK_ORDER, too",
        ),
        ('issuer = "PLATFORM"\n', "", "[[rule]]", "says who issues"),
        ('languages = ["en", "es"]\n', "", "[[country]]", "says `languages` and `tax_model`"),
        ("valid_from = 0001-01-01", "valid_from = 2026-01-01", "valid_from", "holds on 0001-01-01"),
        (
            "valid_from = 0001-01-01",
            "valid_from = 0001-01-01\nvalid_to = 2026-12-31",
            "valid_to",
            "holds on 2027-01-01",
        ),
    ],
)
def test_the_policy_for_everything_leaves_nothing_out(old: str, new: str, at: str, says: str) -> None:
    assert old in GENERIC
    text = GENERIC.replace(old, new, 1)
    with pytest.raises(ValueError, match=r"^generic\.toml:\d+: ") as fault:
        read_policies({"generic.toml": text})
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(at)]
    assert any(str(fault.value).startswith(f"generic.toml:{line}: ") for line in lines)
    assert says in str(fault.value)


def test_editions_of_the_policy_for_everything_leave_out_no_day() -> None:
    first = GENERIC.replace("valid_from = 0001-01-01", "valid_from = 0001-01-01\nvalid_to = 2026-12-31")
    second = GENERIC.replace("valid_from = 0001-01-01", "valid_from = 2027-01-01").replace("#1", "#2")
    assert len(read_policies({"first.toml": first, "second.toml": second}).policies) == 2
    late = second.replace("2027-01-01", "2027-01-02")
    with pytest.raises(ValueError, match=r"^second\.toml:\d+: valid_from: .* holds on 2027-01-01$"):
        read_policies({"first.toml": first, "second.toml": late})


def test_without_a_policy_for_everything_there_is_none() -> None:
    with pytest.raises(ValueError, match="no policy is for every country"):
        read_policies({"own.toml": SOUND})


def test_money_in_the_files_is_no_float() -> None:
    for file in resources.files("domain.documents").joinpath("policies").iterdir():
        tomllib.loads(file.read_text("utf-8"), parse_float=pytest.fail)
