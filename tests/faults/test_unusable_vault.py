"""A vault that is full, read-only or gone parks documents; they are issued once it is back, same numbers."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.house import House, by_platform, eventually, numbers_of, paid
from tests.support.problems import problem

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class SmallVault:
    """A house whose vault is a file system of its own, and where that is mounted."""

    house: House
    mount: Path

    def fill(self) -> None:
        """Leaves no byte free."""
        with (self.mount / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(b"x" * 4096)

    def empty(self) -> None:
        """Frees what `fill` took."""
        (self.mount / "filler").unlink()

    def forbid_writing(self) -> None:
        """As a disk that failed, or an operator, would."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.mount)], check=True)

    def allow_writing(self) -> None:
        """Undoes `forbid_writing`."""
        subprocess.run(["mount", "-o", "remount,rw", str(self.mount)], check=True)

    def take_away(self) -> None:
        """As if the file system were not mounted: another, empty folder stands in its place."""
        (self.mount / "incoming").rename(self.mount / "elsewhere")

    def bring_back(self) -> None:
        """Undoes `take_away`."""
        (self.mount / "elsewhere").rename(self.mount / "incoming")


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallVault]:
    folder = tmp_path_factory.mktemp("small-vault")
    mount = folder / "vault"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system needs root and the right to mount")
    try:
        with House(folder / "data", {"BILLING_VAULT_URL": f"file://{mount}"}) as house:
            yield SmallVault(house, mount)
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


TROUBLES: dict[str, tuple[Callable[[SmallVault], None], Callable[[SmallVault], None]]] = {
    "full": (SmallVault.fill, SmallVault.empty),
    "read-only": (SmallVault.forbid_writing, SmallVault.allow_writing),
    "gone": (SmallVault.take_away, SmallVault.bring_back),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_documents_wait_for_the_vault_with_their_numbers_and_a_task(vault: SmallVault, trouble: str) -> None:
    house, platform = vault.house, f"vault-{trouble}-ltd"
    before = house.issued(paid(f"{trouble}-before", orderPartySnapshot=by_platform(platform)))
    begin, end = TROUBLES[trouble]
    with house.client("SUPER_ADMIN") as admin:
        begin(vault)
        try:
            parked = [_parked(house, admin, f"{trouble}-{number}", platform) for number in range(3)]
            ready = admin.get("/health/ready")
            assert (ready.status_code, ready.json()["checks"]["vault"] != "ok") == (503, True)
            assert admin.get("/health/live").status_code == 200
            detail = admin.get(f"/v1/documents/{before['documentId']}")
            assert detail.status_code == 200, "what needs no vault is still answered"
            for document in parked:
                token = f"/v1/documents/{document['documentId']}/download-token"
                problem(admin.post(token, json={}), 404, "NOT_FOUND")
        finally:
            end(vault)
        assert eventually(lambda: admin.get("/health/ready").status_code == 200)
        for document in parked:
            issued = house.wait_for_issue(document["documentId"])
            assert issued["number"] == document["number"]
            assert admin.get(f"/v1/documents/{document['documentId']}/verify").json()["valid"] is True
        house.catch_up()
        assert not [task for task in _tasks(admin) if task["targetId"] in {d["documentId"] for d in parked}]
        metrics = admin.get("/metrics").text
    assert "docs_issue_failed_total{" in metrics and 'reason="vault_unavailable"' in metrics
    assert numbers_of(house, platform)[0] == [1, 2, 3, 4]


def _tasks(admin: httpx.Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = admin.get("/v1/tasks", params={"limit": 200}).json()["items"]
    return items


def _parked(house: House, admin: httpx.Client, order_id: str, platform: str) -> dict[str, Any]:
    """A document that is parked with its number, without waiting for the answer to its order."""
    event = paid(order_id, orderPartySnapshot=by_platform(platform))
    with house.client("SYSTEM") as system:
        system.timeout = httpx.Timeout(30, read=0.3)
        # The service goes on; only the client does not wait.
        with suppress(httpx.ReadTimeout):
            system.post("/v1/inbound/events", json=event)

    def look() -> dict[str, Any] | None:
        items = admin.get("/v1/documents", params={"orderId": order_id}).json()["items"]
        tasks = {task["targetId"]: task for task in _tasks(admin)}
        return items[0] if items and items[0]["documentId"] in tasks else None

    document = eventually(look)
    (task,) = [task for task in _tasks(admin) if task["targetId"] == document["documentId"]]
    assert (task["type"], task["cause"]) == ("DOCUMENT_PARKED", "vault_unavailable")
    assert task["nextRetryAt"] and task["resumedBy"]
    assert document["status"] == "DRAFT" and document["number"] and document["hashSha256"] is None
    return document
