"""Prepared statements sent together over one connection and answered together, in libpq's pipeline mode.

psycopg's own pipelines send each statement by itself and end with a wait, and with a message that disarms the
server's time-out of idle transactions: a process stopped then could hold the ledger for as long as it likes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.adapt import Transformer

Request = tuple[str, Sequence[str]]
"""A prepared statement's name and its parameters as text; or `BEGIN …` or `COMMIT`, without any."""


class Wire:
    """One connection in autocommit mode, for one thread: what is sent is received before more is sent."""

    def __init__(self, connection: psycopg.Connection[Any], statements: Mapping[str, str]) -> None:
        self.connection = connection
        self._names = {name: name.encode() for name in statements}
        self._transformer = Transformer(connection)
        for name, statement in statements.items():
            connection.execute(f"PREPARE {name} AS {statement}".encode())

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.connection.pgconn.transaction_status == pq.TransactionStatus.INTRANS

    def send(self, requests: Sequence[Request]) -> None:
        """Sends requests as one: outside a transaction all of them are one of their own, all or nothing."""
        encoded = [(name, [text.encode() for text in parameters]) for name, parameters in requests]
        pgconn = self.connection.pgconn
        pgconn.enter_pipeline_mode()
        for name, parameters in encoded:
            prepared = self._names.get(name)
            if prepared is None:
                pgconn.send_query_params(name.encode(), None)
            else:
                pgconn.send_query_prepared(prepared, parameters, result_format=pq.Format.BINARY)
        pgconn.pipeline_sync()
        self.connection.wait(generators.send(pgconn))

    def is_answered(self) -> bool:
        """Whether `receive` has something to tell already, if only that the connection is lost."""
        pgconn = self.connection.pgconn
        try:
            pgconn.consume_input()
        except psycopg.OperationalError:
            return True
        return not pgconn.is_busy()

    def receive(self) -> list[list[tuple[Any, ...]]]:
        """Waits for the rows of each request. Raises the first error, after which nothing was done."""
        pgconn, wait = self.connection.pgconn, self.connection.wait
        results = []
        failed: psycopg.Error | None = None
        while True:
            result = wait(generators.fetch(pgconn))
            if result is None:
                if pgconn.status == pq.ConnStatus.BAD:
                    # No end of the answers will come any more.
                    raise failed or psycopg.OperationalError("the connection is lost")
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            if result.status == pq.ExecStatus.FATAL_ERROR and failed is None:
                failed = psycopg.errors.error_from_result(result)
            results.append(result)
        pgconn.exit_pipeline_mode()
        if failed is not None:
            raise failed
        return [self._rows(result) for result in results]

    def _rows(self, result: pq.abc.PGresult) -> list[tuple[Any, ...]]:
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)
