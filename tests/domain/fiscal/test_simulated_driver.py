"""The law of the simulated country, which is nobody's."""

from datetime import date
from typing import get_args

import pytest

from domain.documents.document_facts import DocType
from domain.fiscal.countries.simulated.driver import SIMULATED_AUTHORITY, SimulatedDriver
from domain.fiscal.driver import Chain, Correction
from domain.fiscal.registry import GENERIC, driver_for, stamped_types, stamping_of
from tests.support import facts
from tests.support.simulated_country import SimulatedInvoice

DRIVER = SimulatedDriver()
ISSUED, LATER = date(2026, 3, 14), date(2026, 3, 15)


def test_it_serves_a_country_that_does_not_exist_and_says_so() -> None:
    assert isinstance(driver_for("XS"), SimulatedDriver)
    assert (DRIVER.name, DRIVER.version) == ("SIMULATED", "simulated/1")
    assert driver_for("ZZ") is GENERIC


@pytest.mark.parametrize("doc_type", get_args(DocType))
def test_invoices_and_credit_notes_are_stamped_and_chained_and_nothing_else(doc_type: DocType) -> None:
    fiscal = doc_type in {"FISCAL_INVOICE", "CREDIT_NOTE"}
    stamping = DRIVER.stamping(doc_type)
    assert (stamping is not None) == fiscal
    assert DRIVER.chain(doc_type) == (Chain(scope="ISSUER") if fiscal else None)


def test_the_list_of_stamped_types_says_what_each_document_is_told() -> None:
    listed = {(each.country_code, each.doc_type, each.authority) for each in stamped_types()}
    assert listed == {
        ("XS", "FISCAL_INVOICE", SIMULATED_AUTHORITY),
        ("XS", "CREDIT_NOTE", SIMULATED_AUTHORITY),
    }
    drafted = SimulatedInvoice(name="1").drafted()
    assert stamping_of(drafted) == DRIVER.stamping("FISCAL_INVOICE")
    assert stamping_of(facts.drafted()) is None


def test_a_draft_from_before_the_country_had_this_driver_is_not_stamped() -> None:
    before = SimulatedInvoice(name="1").drafted().model_copy(update={"driver": "GENERIC"})
    assert stamping_of(before) is None


@pytest.mark.parametrize(
    ("correction", "doc_type", "on", "allowed"),
    [
        ("VOID", "FISCAL_INVOICE", ISSUED, True),
        ("VOID", "FISCAL_INVOICE", LATER, False),
        ("VOID", "CREDIT_NOTE", LATER, True),
        ("VOID", "RECEIPT", LATER, True),
        ("REPLACE", "FISCAL_INVOICE", ISSUED, False),
        ("REPLACE", "RECEIPT", ISSUED, False),
        ("CREDIT_NOTE", "FISCAL_INVOICE", LATER, True),
        ("CREDIT_NOTE", "RECEIPT", ISSUED, False),
    ],
)
def test_what_may_be_done_to_an_issued_document(
    correction: Correction, doc_type: DocType, on: date, allowed: bool
) -> None:
    assert DRIVER.allows(correction, doc_type, ISSUED, on) is allowed


def test_issuers_and_businesses_say_everything_and_an_issuer_has_a_profile() -> None:
    everything = DRIVER.profile_demands("ISSUER", is_business=True)
    assert "taxId" in everything
    assert DRIVER.profile_demands("BUYER", is_business=True) == everything
    assert DRIVER.profile_demands("BUYER", is_business=False) == ("legalName",)
    assert not DRIVER.takes_snapshot_for_profile("ISSUER")
    assert DRIVER.takes_snapshot_for_profile("BUYER")
