"""A peer's books, in a database of their own on the bench's server, and who issues invoices in them."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from benchmarks.harness import Bench
from benchmarks.peers import environment
from benchmarks.peers.turns import READY, SET_UP, Turn
from infrastructure.bound_process import bound_command
from tests.support.house import PROJECT

_VARIABLES = {"host": "PGHOST", "user": "PGUSER", "dbname": "PGDATABASE", "requirepeer": "PGREQUIREPEER"}


@dataclass(frozen=True)
class Peer:
    """A program beside this module. `issued` counts those of a list of numbers that are invoices in force."""

    name: str
    issued: LiteralString


TRYTON = Peer(
    "tryton",
    """
    SELECT count(*) FROM account_invoice AS invoice JOIN account_move AS move ON move.id = invoice.move
    WHERE invoice.number = ANY(%s) AND invoice.state = 'posted'
      AND move.state = 'posted' AND move.number <> ''
      AND (SELECT count(*) FROM account_invoice_line AS line WHERE line.invoice = invoice.id) = 5
      AND (SELECT sum(debit) FROM account_move_line AS line WHERE line.move = move.id) = 720
    """,
)
DJANGO_LEDGER = Peer(
    "django_ledger",
    """
    SELECT count(*) FROM django_ledger_invoicemodel AS invoice
    JOIN django_ledger_ledgermodel AS ledger ON ledger.uuid = invoice.ledger_id
    JOIN django_ledger_journalentrymodel AS entry ON entry.ledger_id = ledger.uuid
    WHERE invoice.invoice_number = ANY(%s) AND invoice.invoice_status = 'approved'
      AND ledger.posted AND entry.posted AND entry.je_number <> ''
      AND (SELECT count(*) FROM django_ledger_itemtransactionmodel AS line
           WHERE line.invoice_model_id = invoice.uuid) = 5
      AND (SELECT sum(amount) FROM django_ledger_transactionmodel AS booked
           WHERE booked.journal_entry_id = entry.uuid AND booked.tx_type = 'debit') = 600
    """,
)


@dataclass(frozen=True)
class Books:
    """A peer's books; `log_path` is where its processes write."""

    peer: Peer
    url: str
    log_path: Path

    def invoices_per_second(self, way: str, processes: int, seconds: float) -> float:
        """Issues from so many processes at once for a while, and makes sure that every invoice is there."""
        started = [self.start(way) for _ in range(processes)]
        try:
            for process in started:
                assert process.stdout is not None, "it is a pipe"
                assert process.stdout.readline() == f"{READY}\n", self.log_path.read_text()[-4000:]
            for process in started:
                assert process.stdin is not None, "it is a pipe"
                process.stdin.write(f"{seconds}\n")
                process.stdin.flush()
            turns = [self._turn_of(process) for process in started]
        finally:
            for process in started:
                process.kill()
                process.wait()
        self.require_issued([number for turn in turns for number in turn.numbers])
        return sum(len(turn.numbers) / turn.seconds for turn in turns)

    def require_issued(self, numbers: Sequence[str]) -> None:
        """Fails unless each number is that of another invoice of five lines, posted and booked."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(self.peer.issued, (list(numbers),)).fetchone()
        assert found == (len(numbers),), f"{found} of {len(numbers)} invoices are in the books"

    def start(self, argument: str) -> "subprocess.Popen[str]":
        """The peer's program with pipes to it, from its own environment; it ends with this process."""
        command = [str(environment.python()), "-m", f"benchmarks.peers.{self.peer.name}", argument]
        parameters = conninfo_to_dict(self.url)
        variables = {_VARIABLES[name]: str(value) for name, value in parameters.items()}
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                bound_command(command, death_signal=signal.SIGTERM),
                cwd=PROJECT,
                env={**os.environ, **variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _turn_of(self, process: "subprocess.Popen[str]") -> Turn:
        written, _ = process.communicate()
        assert process.returncode == 0, self.log_path.read_text()[-4000:]
        return Turn(**json.loads(written))


def books_of(bench: Bench, peer: Peer) -> Books:
    """Where the peer's books are or will be."""
    url = make_conninfo(bench.server.admin_url, dbname=peer.name)
    return Books(peer, url, bench.folder / f"{peer.name}.log")


def set_up(bench: Bench, peer: Peer) -> Books:
    """The peer's books, made in a fresh database."""
    with psycopg.connect(bench.server.admin_url, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
        connection.execute(statement.format(sql.Identifier(peer.name)))
    books = books_of(bench, peer)
    process = books.start(SET_UP)
    process.communicate()
    assert process.returncode == 0, books.log_path.read_text()[-4000:]
    return books
