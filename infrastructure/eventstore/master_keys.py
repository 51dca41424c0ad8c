"""Takes a master key away for good, so that what it wraps in old backups of the database opens no more."""

from typing import Any

import psycopg

from infrastructure.keys.rings import NotRetired, SecretRing

_LIVE_KEYS = "SELECT count(*) FROM ledger.subject_key WHERE master_key_id = %s AND wrapped_key IS NOT NULL"


def retire_master_key(connection: psycopg.Connection[Any], masters: SecretRing, master_key_id: str) -> None:
    """Removes a master key from its ring.

    Raises `NotRetired` where it is current, not there, or a live key hangs on it; `KeyUnusable`.
    """
    with connection.transaction():
        # A key that was made under this master key ahead of the lock is refused now, and made anew under the
        # current one; and none is stored between the look and the removal.
        connection.execute("SELECT ledger.lock_head_to_change()")
        (live,) = connection.execute(_LIVE_KEYS, (master_key_id,)).fetchone() or (0,)
        if live:
            raise NotRetired(f"{live} live keys are wrapped by {master_key_id}: rewrap them first.")
        masters.retire(master_key_id)
