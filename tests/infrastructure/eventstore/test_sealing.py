"""What is personal in a fact is stored sealed, opens only where it was sealed, and is gone with its key."""

import json
from typing import Any, get_args

import pytest
from eventsourcing.persistence import MapperDeserialisationError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from domain.documents.order_facts import OrderPaid
from domain.documents.order_snapshot import OrderData, Party
from domain.documents.order_state import ORDER
from domain.kernel.privacy import (
    ERASED_TEXT,
    PersonalDataErased,
    RetentionClass,
    without_personal_data,
)
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY
from infrastructure.eventstore.mapper import LedgerMapper, Stored
from infrastructure.eventstore.sealing import SubjectKeyMissing, place_of
from projections.subject_streams import SUBJECT_STREAMS
from tests.support.decisions import rule
from tests.support.fact_examples import examples
from tests.support.facts import an_order, paid
from tests.support.snapshots import orders, party_snapshot
from tests.support.subject_keys import MemoryKeys

MAPPER = LedgerMapper(REGISTRY)
STREAM = ORDER.stream("o-1")
SECRETS = ("Philippa Thistlewood", "GB123456789", "3 Saltmarsh Row", "pippa@example.org", "left at the gate")

BUYER = {
    "partyId": "buyer-17",
    "legalName": SECRETS[0],
    "taxId": SECRETS[1],
    "address": {"line1": SECRETS[2], "city": "Hull", "floor": "attic"},
    "email": SECRETS[3],
    "type": "B2C",
    "deliveryNote": SECRETS[4],
}


def secretive_order() -> OrderData:
    """An order that knows a lot of its buyer."""
    return an_order(orderPartySnapshot=party_snapshot(buyer=BUYER), giftNote="for " + SECRETS[0])


def sealed_order(keys: MemoryKeys) -> Stored:
    """The same as it is stored."""
    return MAPPER.encode(STREAM, paid(secretive_order()), keys)


def buyer_of(fact: Any) -> Party:
    """The buyer of a paid order."""
    assert isinstance(fact, OrderPaid)
    return fact.order.order_party_snapshot.buyer


@rule("PII-11")
def test_no_stored_byte_tells_who_it_was() -> None:
    state = sealed_order(MemoryKeys()).state.decode()
    assert not [secret for secret in SECRETS if secret in state]
    assert "attic" not in state and "giftNote" not in state
    stored = json.loads(state)["order"]["orderPartySnapshot"]["buyer"]
    assert set(stored) == {"partyId", "type", "sealed"}
    assert set(stored["sealed"]) == {"FISCAL", "CONTACT"}


def test_with_its_keys_all_of_it_is_read_again() -> None:
    keys = MemoryKeys()
    assert MAPPER.decode(STREAM, sealed_order(keys), keys) == paid(secretive_order())


def test_each_class_of_each_subject_has_a_key_of_its_own() -> None:
    keys = MemoryKeys()
    parts = MAPPER.parse(STREAM, sealed_order(keys)).sealed_for
    assert len({(part.subject, part.retention_class) for part in parts}) == len(
        {part.key_id for part in parts}
    )
    assert {part.subject for part in parts} >= {"party:buyer-17", "party:seller-4"}


def test_erasing_contact_data_leaves_what_the_law_wants() -> None:
    keys = MemoryKeys()
    stored = sealed_order(keys)
    keys.erase("party:buyer-17", "CONTACT")
    buyer = buyer_of(MAPPER.decode(STREAM, stored, keys))
    assert (buyer.legal_name, buyer.tax_id) == SECRETS[:2]
    assert buyer.email is None
    assert not buyer.model_extra


def test_erasing_all_leaves_an_order_that_still_loads() -> None:
    keys = MemoryKeys()
    stored = sealed_order(keys)
    keys.erase("party:buyer-17", "CONTACT")
    keys.erase("party:buyer-17", "FISCAL")
    read = MAPPER.decode(STREAM, stored, keys)
    buyer = buyer_of(read)
    assert (buyer.party_id, buyer.type) == ("buyer-17", "B2C")
    assert (buyer.legal_name, buyer.tax_id, buyer.address, buyer.email) == (ERASED_TEXT, None, None, None)
    assert isinstance(read, OrderPaid)
    assert read.order.order_financial_snapshot == secretive_order().order_financial_snapshot
    assert read.order.order_party_snapshot.seller == secretive_order().order_party_snapshot.seller


@given(orders(), st.sampled_from(get_args(RetentionClass)), st.sampled_from(["buyer", "seller", "platform"]))
def test_a_state_told_of_an_erasure_is_what_the_history_folds_to_after_it(
    order: OrderData, retention_class: Any, role: str
) -> None:
    keys = MemoryKeys()
    fact = paid(order)
    stored = MAPPER.encode(STREAM, fact, keys)
    subject = f"party:{getattr(order.order_party_snapshot, role).party_id}"
    if keys.has(subject, retention_class):
        keys.erase(subject, retention_class)
    erased = REGISTRY.by_name("order.personal-data-erased").fact.model_validate(
        {"subject": subject, "retentionClass": retention_class, "keyId": "k", "positions": [1]}
    )
    told = REGISTRY.fold(STREAM, [fact, erased])
    folded_anew = REGISTRY.fold(STREAM, [MAPPER.decode(STREAM, stored, keys), erased])
    assert told == folded_anew


def test_what_is_sealed_opens_in_no_other_stream_place_or_class() -> None:
    keys = MemoryKeys()
    stored = sealed_order(keys)
    with pytest.raises(MapperDeserialisationError):
        MAPPER.decode(StreamId("order", "o-2"), stored, keys)

    def moved(change: Any) -> Stored:
        content = json.loads(stored.state)
        parties = content["order"]["orderPartySnapshot"]
        change(parties)
        return stored._replace(state=json.dumps(content).encode())

    def swap_parties(parties: Any) -> None:
        parties["buyer"], parties["seller"] = parties["seller"], parties["buyer"]

    def swap_classes(parties: Any) -> None:
        sealed = parties["buyer"]["sealed"]
        sealed["FISCAL"], sealed["CONTACT"] = sealed["CONTACT"], sealed["FISCAL"]

    def rename_subject(parties: Any) -> None:
        parties["buyer"]["partyId"] = "somebody-else"

    for change in (swap_parties, swap_classes, rename_subject):
        with pytest.raises(MapperDeserialisationError):
            MAPPER.decode(STREAM, moved(change), keys)


def test_a_missing_key_is_an_error_and_never_taken_for_an_erasure() -> None:
    with pytest.raises(SubjectKeyMissing):
        MAPPER.decode(STREAM, sealed_order(MemoryKeys()), {})


def test_an_order_of_the_first_schema_version_is_read_though_nothing_in_it_is_sealed() -> None:
    state = paid(secretive_order()).model_dump_json(by_alias=True, exclude_none=True).encode()
    read = MAPPER.decode(STREAM, Stored("order.paid-in-escrow", 1, state))
    assert read == paid(secretive_order())


def test_a_value_without_that_subjects_data_stays_as_it_is() -> None:
    party = Party.model_validate(BUYER)
    assert without_personal_data(party, "party:another", "FISCAL") is party


def test_every_stream_type_with_personal_data_can_tell_of_its_erasure_and_is_in_the_index() -> None:
    personal = {event_type.name for event_type in REGISTRY.event_types() if place_of(event_type.fact)}
    # A later document keeps whom it names for as long as the law wants it, though its fact names nobody.
    later = {"invoice.credited", "order.document-drafted", "receipt.adjusted"}
    assert personal | later == SUBJECT_STREAMS.event_names
    for stream_type in {name.partition(".")[0] for name in personal}:
        fact = REGISTRY.by_name(f"{stream_type}.personal-data-erased").fact
        assert issubclass(fact, PersonalDataErased)


@rule("PII-11")
def test_no_field_that_names_people_goes_unmarked() -> None:
    """Whoever adds a field of such a name to a fact decides how long it may be kept."""
    telling = ("name", "email", "address", "phone", "ip", "device", "birth", "taxid", "tax_id", "iban")
    known = {"Party", "OrderPartySnapshot", "OrderData", "DocumentDownloaded", "DocumentIssued", "Address"}
    # An artifact's display name is that of a file.
    known |= {"AccountData", "BillingContact", "BillTo", "ArtifactFile", "ArtifactRef", "ArtifactDownloaded"}
    # A stamp's file name is that of an object of the vault.
    known |= {"ProfileContent", "FiscalStamp", "PaidBy"}
    for model in _models():
        for name in model.model_fields:
            if any(word == name or name.endswith("_" + word) for word in telling):
                assert model.__name__ in known, f"{model.__name__}.{name}"


def _models() -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()

    def visit(value: Any) -> None:
        if isinstance(value, BaseModel):
            found.add(type(value))
            for name in type(value).model_fields:
                visit(getattr(value, name))
        elif isinstance(value, tuple):
            for item in value:
                visit(item)

    for fact in examples():
        visit(fact)
    return found
