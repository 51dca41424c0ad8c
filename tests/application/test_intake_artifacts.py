"""Contents that come by value are taken out of the event before anything else is made of it."""

import base64
from hashlib import sha256
from typing import Any

import pytest

from application.handlers.inbound import CloudEvent, read_fact
from application.intake.artifacts import MOST_CONTENT_BYTES, take_contents
from application.intake.work_orders import ReportedWorkOrder
from domain.kernel.errors import DomainError
from tests.support.artifact_facts import SIGNATURE, an_artifact, by_value
from tests.support.desks import READING
from tests.support.work_orders import a_work_order

ACCOUNT_ID = "0192f0c1-7a00-7000-8000-00000000000a"


def read_with(*refs: Any) -> ReportedWorkOrder:
    """A work order with these artifacts, read."""
    data = a_work_order(ACCOUNT_ID, artifactRefs=list(refs))
    envelope = {"specversion": "1.0", "id": "e-1", "source": "urn:s", "type": "workexec.WORK_ORDER_READY"}
    fact = read_fact(CloudEvent.model_validate({**envelope, "data": data}), READING)
    assert isinstance(fact.intake, ReportedWorkOrder)
    return fact.intake


def refused(*refs: Any) -> dict[str, str]:
    """Why such artifacts are refused: a code by field."""
    with pytest.raises(DomainError) as refusal:
        read_with(*refs)
    assert refusal.value.code == "VALIDATION_FAILED"
    return {
        error.field.removeprefix("data.artifactRefs."): error.code for error in refusal.value.field_errors
    }


def test_the_reference_keeps_the_hash_and_no_byte_of_the_content() -> None:
    intake = read_with(by_value(), an_artifact("bare"))
    assert [ref.sha256 for ref in intake.data.artifact_refs] == [sha256(SIGNATURE).hexdigest(), None]
    (sent,) = intake.sent
    assert (sent.artifact_ref_id, sent.content) == ("approval-1", SIGNATURE)
    told = f"{intake!r} {intake.data.model_dump_json(by_alias=True)}"
    assert "contentBase64" not in told
    assert base64.b64encode(SIGNATURE).decode() not in told and repr(SIGNATURE) not in told


def test_a_hash_that_was_sent_may_agree_and_other_extra_fields_are_kept() -> None:
    intake = read_with(by_value(sha256=sha256(SIGNATURE).hexdigest(), signedBy="tablet-3"))
    assert intake.data.artifact_refs[0].model_dump(by_alias=True)["signedBy"] == "tablet-3"


def test_an_empty_content_and_an_absent_one_are_different() -> None:
    intake = read_with(by_value("empty", b""), an_artifact("absent") | {"contentBase64": None})
    assert [(sent.artifact_ref_id, sent.content) for sent in intake.sent] == [("empty", b"")]


@pytest.mark.parametrize(
    "sent",
    ["a", "YQ", "YQ=", "YQ==\n", " YQ==", "YQ==YQ==", "YQ-_", "é", "Y!Q=", 7, True, ["YQ=="], {}],
)
def test_only_strict_base64_is_a_content(sent: Any) -> None:
    assert set(refused(by_value(content=b"a", contentBase64=sent))) == {"0.contentBase64"}


def test_every_disagreement_is_named() -> None:
    wrong = by_value("b", sizeBytes=1, sha256="0" * 64, uri="https://files.example/1")
    assert refused(by_value("a"), wrong, an_artifact("a")) == {
        "1.sizeBytes": "DIFFERS",
        "1.sha256": "DIFFERS",
        "1.uri": "AMBIGUOUS",
        "2.artifactRefId": "REPEATED",
    }


def test_a_content_has_5_mib_at_most() -> None:
    most = bytes(MOST_CONTENT_BYTES)
    assert read_with(by_value(content=most)).sent[0].content == most
    assert refused(by_value(content=most + b"\x00")) == {"0.contentBase64": "TOO_LARGE"}


@pytest.mark.parametrize("refs", [None, {}, "refs", [None, 7, "ref", []]])
def test_a_list_that_is_none_is_left_to_be_refused_by_its_shape(refs: Any) -> None:
    data = {"artifactRefs": refs}
    assert take_contents(data) == (data, {})
