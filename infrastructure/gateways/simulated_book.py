"""What the simulated gateways remember, in an SQLite file: payments, refunds, notices, what was moved."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from application.gateway import GatewayStatus, RefundStatus
from infrastructure.gateways.simulated_faults import Conditions, SimulatedGateway

_TABLES = """
CREATE TABLE IF NOT EXISTS payment (
    reference TEXT PRIMARY KEY, gateway TEXT NOT NULL, payment_key TEXT NOT NULL,
    billing_payment_id TEXT NOT NULL, method TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    status TEXT NOT NULL, code TEXT, due_at REAL, due_status TEXT, made_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS payment_by_key ON payment (gateway, payment_key);
CREATE TABLE IF NOT EXISTS refund (
    n INTEGER PRIMARY KEY AUTOINCREMENT, refund_id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
    refund_key TEXT NOT NULL, amount INTEGER NOT NULL, whole INTEGER NOT NULL, status TEXT NOT NULL,
    due_at REAL, due_status TEXT
);
CREATE TABLE IF NOT EXISTS movement (
    n INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, reference TEXT NOT NULL,
    billing_payment_id TEXT NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS answer (
    answer_key TEXT PRIMARY KEY, request_sha256 TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS request (subject TEXT PRIMARY KEY, requests INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notice (
    n INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, notice_id TEXT NOT NULL, body BLOB NOT NULL,
    due_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, left_to_send INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS conditions (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), told TEXT NOT NULL);
"""


@dataclass(frozen=True)
class KeptPayment:
    """A payment or transfer; `amount` in its gateway's units. It takes `due_status` at `due_at` (epoch)."""

    reference: str
    gateway: SimulatedGateway
    key: str
    billing_payment_id: str
    method: str
    amount: int
    currency: str
    status: GatewayStatus
    code: str | None = None
    due_at: float | None = None
    due_status: GatewayStatus | None = None
    made_at: float = 0


@dataclass(frozen=True)
class KeptRefund:
    """A refund; `whole` where it takes a capture back. It takes `due_status` at `due_at` (epoch)."""

    refund_id: str
    reference: str
    key: str
    amount: int
    whole: bool
    status: RefundStatus
    due_at: float | None = None
    due_status: RefundStatus | None = None


@dataclass(frozen=True)
class KeptNotice:
    """A notice that is to be sent `left_to_send` times more; `attempts` were made."""

    n: int
    gateway: SimulatedGateway
    notice_id: str
    body: bytes
    attempts: int
    left_to_send: int


@dataclass(frozen=True)
class Reply:
    """What is answered: a status and JSON."""

    status: int
    body: bytes


class GatewayBook:
    """Survives the end of its process at any moment: what was answered is on the disk before.

    Whoever reads and writes does so within `changing`, which all others wait for.
    """

    def __init__(self, path: Path) -> None:
        """Makes the file where there is none."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """All that is done within takes effect, or nothing of it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._connection.close()

    def keep_payment(self, payment: KeptPayment) -> None:
        """Writes a payment down, new or as it stands now."""
        values = (
            *(payment.reference, payment.gateway, payment.key, payment.billing_payment_id, payment.method),
            *(payment.amount, payment.currency, payment.status, payment.code),
            *(payment.due_at, payment.due_status, payment.made_at),
        )
        self._write("INSERT OR REPLACE INTO payment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def payment(self, gateway: SimulatedGateway, reference: str) -> KeptPayment | None:
        """The payment of that reference."""
        rows = self._rows("SELECT * FROM payment WHERE gateway = ? AND reference = ?", gateway, reference)
        return KeptPayment(*rows[0]) if rows else None

    def payments_under(self, gateway: SimulatedGateway, key: str, made_before: float) -> list[KeptPayment]:
        """The payments made under a key until then (epoch)."""
        select = "SELECT * FROM payment WHERE gateway = ? AND payment_key = ? AND made_at <= ?"
        return [KeptPayment(*row) for row in self._rows(select, gateway, key, made_before)]

    def payments_due(self) -> list[KeptPayment]:
        """Those whose time has come, with the status that they take."""
        rows = self._rows("SELECT * FROM payment WHERE due_at <= ?", time.time())
        due = [KeptPayment(*row) for row in rows]
        return [replace(each, status=each.due_status or each.status, due_at=None) for each in due]

    def keep_refund(self, refund: KeptRefund) -> None:
        """Writes a refund down, new or as it stands now."""
        self._write(
            "INSERT INTO refund (refund_id, reference, refund_key, amount, whole, status, due_at, due_status)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (refund_id) DO UPDATE"
            " SET status = excluded.status, due_at = excluded.due_at, due_status = excluded.due_status",
            *(refund.refund_id, refund.reference, refund.key, refund.amount, refund.whole, refund.status),
            *(refund.due_at, refund.due_status),
        )

    def refunds_of(self, reference: str) -> list[KeptRefund]:
        """The refunds of a payment, the newest first."""
        return self._refunds("reference = ? ORDER BY n DESC", reference)

    def refunds_due(self) -> list[KeptRefund]:
        """Those whose time has come, with the status that they take."""
        due = self._refunds("due_at <= ?", time.time())
        return [replace(each, status=each.due_status or each.status, due_at=None) for each in due]

    def move(self, payment: KeptPayment, kind: str, amount: int) -> None:
        """Notes that money was really moved: CAPTURED, VOIDED (taken back whole) or REFUNDED."""
        self._write(
            "INSERT INTO movement (gateway, reference, billing_payment_id, kind, amount, currency)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(payment.gateway, payment.reference, payment.billing_payment_id, kind, amount, payment.currency),
        )

    def totals(self) -> list[tuple[str, str, str, str, int, int]]:
        """What was moved: gateway, payment's id in Billing, currency, kind, how often, how much in all."""
        return self._rows(
            "SELECT gateway, billing_payment_id, currency, kind, count(*), sum(amount) FROM movement"
            " GROUP BY gateway, billing_payment_id, currency, kind ORDER BY min(n)"
        )

    def answer_under(self, key: str) -> tuple[str, Reply] | None:
        """The first answer to an idempotency key, and the hash of the request that it answered."""
        rows = self._rows("SELECT request_sha256, status, body FROM answer WHERE answer_key = ?", key)
        return (rows[0][0], Reply(rows[0][1], rows[0][2])) if rows else None

    def keep_answer(self, key: str, request_sha256: str, reply: Reply) -> None:
        """Keeps the first answer to an idempotency key."""
        self._write("INSERT INTO answer VALUES (?, ?, ?, ?)", key, request_sha256, reply.status, reply.body)

    def count_request(self, subject: str) -> int:
        """Counts a request about a subject; which one it is, from 1."""
        rows = self._rows(
            "INSERT INTO request VALUES (?, 1)"
            " ON CONFLICT (subject) DO UPDATE SET requests = requests + 1 RETURNING requests",
            subject,
        )
        return int(rows[0][0])

    def keep_notice(
        self, gateway: SimulatedGateway, notice_id: str, body: bytes, *, wait_seconds: float, times: int
    ) -> None:
        """Writes down what is to be told, so that only its receiver's answer makes it forgotten."""
        self._write(
            "INSERT INTO notice (gateway, notice_id, body, due_at, left_to_send) VALUES (?, ?, ?, ?, ?)",
            *(gateway, notice_id, body, time.time() + wait_seconds, times),
        )

    def next_notice(self, gateways: list[SimulatedGateway]) -> KeptNotice | None:
        """What has waited longest of what is to be sent now, to those gateways' receivers."""
        places = ", ".join("?" for _ in gateways)
        rows = self._rows(
            "SELECT n, gateway, notice_id, body, attempts, left_to_send FROM notice"  # noqa: S608 - places.
            f" WHERE left_to_send > 0 AND due_at <= ? AND gateway IN ({places})"
            " ORDER BY due_at, n LIMIT 1",
            *(time.time(), *gateways),
        )
        return KeptNotice(*rows[0]) if rows else None

    def note_attempt(self, notice: KeptNotice, *, taken: bool, again_seconds: float) -> None:
        """Notes that its receiver took a notice, or that it is to be sent again so many seconds later."""
        self._write(
            "UPDATE notice SET attempts = ?, left_to_send = ?, due_at = ? WHERE n = ?",
            *(
                notice.attempts + 1,
                notice.left_to_send - int(taken),
                time.time() + again_seconds,
                notice.n,
            ),
        )

    def conditions(self) -> Conditions:
        """How the gateways are today."""
        rows = self._rows("SELECT told FROM conditions")
        return Conditions.model_validate_json(rows[0][0]) if rows else Conditions()

    def set_conditions(self, conditions: Conditions) -> None:
        """From now on they are so."""
        told = conditions.model_dump_json(by_alias=True)
        self._write("INSERT OR REPLACE INTO conditions VALUES (1, ?)", told)

    def _refunds(self, where: str, *values: Any) -> list[KeptRefund]:
        columns = "refund_id, reference, refund_key, amount, whole, status, due_at, due_status"
        rows = self._rows(f"SELECT {columns} FROM refund WHERE {where}", *values)  # noqa: S608 - constants.
        refunds = [KeptRefund(*row) for row in rows]
        return [replace(refund, whole=bool(refund.whole)) for refund in refunds]

    def _write(self, statement: str, *values: Any) -> None:
        with self._lock:
            self._connection.execute(statement, values)

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()
