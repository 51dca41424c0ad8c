"""Open tasks: parked documents until they are issued, parked refunds until somebody acts."""

from typing import Any

from projections.tasks import TASKS
from tests.support.folding import History, folded, receipt_id


def _tasks(history: History) -> dict[str, dict[str, Any]]:
    return {key[0]: row for key, row in folded(TASKS, history.events)["task_v1"].items()}


async def test_a_parked_document_is_one_task_however_often_it_fails() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1", 1)
    (first,) = _tasks(history).values()
    await history.fail("o-1", 4)
    (task,) = _tasks(history).values()
    assert (task["type"], task["target_type"], task["target_id"]) == (
        "DOCUMENT_PARKED",
        "document",
        receipt_id("o-1"),
    )
    assert (task["cause"], task["attempts"], task["is_open"]) == ("vault_unavailable", 2, True)
    assert (task["opened_at"], task["position"]) == (first["opened_at"], first["position"])
    assert task["next_retry_at"] > first["next_retry_at"]


async def test_the_task_closes_when_the_document_is_issued() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    await history.issue("o-1")
    (task,) = _tasks(history).values()
    assert (task["is_open"], task["next_retry_at"]) == (False, None)


async def test_a_document_issued_at_once_was_never_a_task() -> None:
    history = History()
    await history.pay("o-1")
    await history.issue("o-1")
    assert _tasks(history) == {}


async def test_a_parked_refund_is_a_task_for_a_person() -> None:
    history = History()
    await history.refund("o-1", "r-1", 9000)
    await history.refund("o-1", "r-2", 9001)
    assert _tasks(history) == {}
    await history.pay("o-1")
    tasks = _tasks(history)
    assert set(tasks) == {"refund:o-1/r-1", "refund:o-1/r-2"}
    task = tasks["refund:o-1/r-1"]
    assert (task["type"], task["target_type"], task["target_id"]) == ("REFUND_PARKED", "order", "o-1")
    assert (task["cause"], task["is_open"], task["next_retry_at"]) == ("REFUND_EXCEEDS_PAID", True, None)


async def test_the_task_closes_when_the_refund_comes_again_corrected() -> None:
    history = History()
    await history.refund("o-1", "r-1", 9000)
    await history.pay("o-1")
    await history.refund("o-1", "r-1", 10)
    (task,) = _tasks(history).values()
    assert (task["task_id"], task["is_open"]) == ("refund:o-1/r-1", False)


async def test_refunds_whose_ids_hold_slashes_have_tasks_of_their_own() -> None:
    history = History()
    for order_id, refund_id in (("a/b", "c"), ("a", "b/c")):
        await history.refund(order_id, refund_id, 9000)
        await history.pay(order_id)
    assert set(_tasks(history)) == {"refund:a%2Fb/c", "refund:a/b%2Fc"}
