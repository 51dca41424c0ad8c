"""Gives keys of an older version the ring that they lack, where the ledger shows that none was lost.

Whether a ring was lost or never there cannot be seen from the folder. The ledger knows: a subject's key is
stored with the first event that it seals and stays as a tombstone, so without one nothing hangs on the ring.
"""

from pathlib import Path

import psycopg

from application.signing import KeyUnusable
from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.keys.store import KeyStore


def upgrade_keys(folder: Path, database_url: str) -> None:
    """Adds the ring `subjects` if the ledger, which must be migrated, never had a subject's key.

    Raises `KeyUnusable` where it had one and the ring is not there, be it that all keys are gone.
    """
    with psycopg.connect(database_url, autocommit=True, **CONNECTION_OPTIONS) as connection:
        had_key = connection.execute("SELECT EXISTS (SELECT FROM ledger.subject_key)").fetchone() == (True,)
    if not had_key:
        KeyStore.add_subjects(folder)
    elif not (folder / "subjects").exists():
        raise KeyUnusable("subjects", "missing")
