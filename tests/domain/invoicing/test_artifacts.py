"""Contents of a work order's artifacts: recorded once each, found by the hash that a reference froze."""

from hashlib import sha256

from domain.invoicing.work_order import (
    ArtifactRef,
    WorkOrderArtifactReceived,
    WorkOrderData,
    WorkOrderReported,
    receive_artifacts,
)
from tests.support.artifact_facts import a_file, an_artifact
from tests.support.given import given, state_after
from tests.support.work_orders import a_work_order

ACCOUNT_ID = "0192f0c1-7a00-7000-8000-00000000000a"
REPORTED = WorkOrderReported(
    work_order=WorkOrderData.model_validate(a_work_order(ACCOUNT_ID)), snapshot_fingerprint="f"
)
FILE = a_file(content=b"one")
NEWER = a_file(content=b"two")


def a_ref(content: bytes | None) -> ArtifactRef:
    digest = None if content is None else sha256(content).hexdigest()
    return ArtifactRef.model_validate(an_artifact(sha256=digest))


def test_a_content_that_came_is_recorded() -> None:
    given(REPORTED).when(receive_artifacts, (FILE,)).then(WorkOrderArtifactReceived(file=FILE))
    given().when(receive_artifacts, (FILE,)).then(WorkOrderArtifactReceived(file=FILE))


def test_the_same_content_again_is_not_even_where_it_would_be_kept_elsewhere() -> None:
    moved = FILE.model_copy(update={"vault_name": "artifacts/elsewhere"})
    given(REPORTED, WorkOrderArtifactReceived(file=FILE)).when(receive_artifacts, (moved,)).then()


def test_a_reference_finds_the_content_of_its_hash_whatever_came_later() -> None:
    history = (WorkOrderArtifactReceived(file=FILE), REPORTED, WorkOrderArtifactReceived(file=NEWER))
    work_order = state_after(REPORTED, *history)
    assert work_order.file_of(a_ref(b"one")) == FILE
    assert work_order.file_of(a_ref(b"two")) == NEWER
    assert work_order.file_of(a_ref(b"three")) is None
    assert work_order.file_of(a_ref(None)) is None
