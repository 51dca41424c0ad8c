"""The eventsourcing library's own recorder for PostgreSQL, appending the same states from many threads."""

import threading
import time
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from benchmarks.harness import CALLERS, Ledger


def events_per_second(ledger: Ledger, after_position: int, seconds: float) -> float:
    """Events a second, one a transaction, with the topic and state of the event behind a position."""
    with ledger.connect() as connection:
        row = connection.execute(
            "SELECT name, state FROM ledger.event WHERE position = %s", (after_position + 1,)
        ).fetchone()
        assert row is not None, "the event was just recorded"
        connection.execute("CREATE SCHEMA IF NOT EXISTS stock")
    topic, state = row
    parameters = conninfo_to_dict(ledger.admin_url)
    datastore = PostgresDatastore(
        dbname=str(parameters["dbname"]),
        host=str(parameters["host"]),
        port=5432,
        user=str(parameters["user"]),
        password="",
        pool_size=CALLERS,
        schema="stock",
    )
    with datastore:
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()
        counts = [0] * CALLERS
        together = threading.Barrier(CALLERS + 1)
        stop_at = [0.0]

        def append(number: int) -> None:
            together.wait()
            while time.perf_counter() < stop_at[0]:
                event = StoredEvent(originator_id=uuid4(), originator_version=1, topic=topic, state=state)
                recorder.insert_events([event])
                counts[number] += 1

        threads = [threading.Thread(target=append, args=(number,)) for number in range(CALLERS)]
        for thread in threads:
            thread.start()
        started = time.perf_counter()
        stop_at[0] = started + seconds
        together.wait()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - started)
