"""Where the embedded PostgreSQL of a data directory lives, whose account runs it and how it is reached.

Everything is a function of the data directory, so that other processes find a running cluster without a file.
"""

import contextlib
import hashlib
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from infrastructure.bound_process import Account
from infrastructure.embedded_postgres.errors import PostgresUnavailable

DATABASE = "billing"
ADMIN_ROLE = "postgres"
OWNER_ROLE = "billing_owner"
SERVICE_ROLE = "billing_service"

# Not the TMPDIR of whoever asks: server and clients must agree on it, and a socket's path must stay short.
SOCKET_PARENT = Path("/tmp")  # noqa: S108

UNPRIVILEGED_NAMES = ("postgres", "nobody")
"""The accounts PostgreSQL runs under when started by root, which it refuses to run as; best first."""


@dataclass(frozen=True)
class Places:
    """The files of one data directory's cluster; all paths are absolute and free of symbolic links."""

    data_dir: Path
    cluster: Path
    lock: Path
    log: Path
    socket_dir: Path


def places_of(data_dir: Path) -> Places:
    """The places of `data_dir`, which may be relative and need not exist yet."""
    resolved = data_dir.resolve()
    digest = hashlib.sha256(os.fsencode(resolved)).hexdigest()[:16]
    return Places(
        data_dir=resolved,
        cluster=resolved / "postgres",
        lock=resolved / "postgres.lock",
        log=resolved / "postgres.log",
        socket_dir=SOCKET_PARENT / f"billing-postgres-{digest}",
    )


def server_account(cluster: Path) -> Account:
    """The account that runs the cluster: its owner, or for a new one the caller, root being replaced.

    Raises PostgresUnavailable when the caller may not look at the cluster, or root finds no other account.
    """
    try:
        owner = cluster.stat()
    except FileNotFoundError:
        return _account_for_new_cluster()
    except OSError as error:
        raise PostgresUnavailable(
            f"{cluster} cannot be looked at ({error.strerror}). Use the account that started the service."
        ) from error
    return Account(owner.st_uid, owner.st_gid, _name_of(owner.st_uid))


def _account_for_new_cluster() -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), _name_of(os.geteuid()))
    for name in UNPRIVILEGED_NAMES:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise PostgresUnavailable(
        "PostgreSQL refuses to run as root and there is no account named postgres or nobody. "
        "Create one, start as another user, or set BILLING_DATABASE_URL."
    )


def _name_of(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def url(data_dir: Path, *, role: str, database: str) -> str:
    """A libpq URL over the private unix socket.

    `requirepeer` makes libpq refuse a server run by any other account, such as one that planted the socket's
    directory while the service was down.
    """
    places = places_of(data_dir)
    parameters = {"host": str(places.socket_dir)}
    name = server_account(places.cluster).name
    if name is not None:
        parameters["requirepeer"] = name
    return f"postgresql://{role}@/{database}?{urlencode(parameters, quote_via=quote)}"


def admin_url(data_dir: Path) -> str:
    """The billing database of `data_dir` as the superuser, for migrations and maintenance."""
    return url(data_dir, role=ADMIN_ROLE, database=DATABASE)


def service_url(data_dir: Path) -> str:
    """The billing database of `data_dir` as the service's role, which has only what migrations grant it."""
    return url(data_dir, role=SERVICE_ROLE, database=DATABASE)


def prepare_socket_dir(socket_dir: Path, account: Account) -> None:
    """Make the socket's directory, or take it over from a killed server after checking that it is our own.

    The caller holds the data directory's lock, so whatever lies in it is stale. Raises PostgresUnavailable
    when somebody else made it or could write to it.
    """
    with contextlib.suppress(FileExistsError):
        socket_dir.mkdir(mode=0o700)
    try:
        directory_fd = os.open(socket_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise _not_ours(socket_dir) from error
    try:
        found = os.fstat(directory_fd)
        if found.st_uid not in {os.geteuid(), account.uid} or found.st_mode & 0o077:
            raise _not_ours(socket_dir)
        if os.geteuid() == 0:
            os.fchown(directory_fd, account.uid, account.gid)
        for name in os.listdir(directory_fd):  # noqa: PTH208 - the checked directory, not its path.
            os.unlink(name, dir_fd=directory_fd)
    finally:
        os.close(directory_fd)


def remove_socket_dir(socket_dir: Path) -> None:
    """Remove the directory of a stopped server with what a killed one left in it."""
    for leftover in socket_dir.iterdir():
        leftover.unlink()
    socket_dir.rmdir()


def _not_ours(socket_dir: Path) -> PostgresUnavailable:
    return PostgresUnavailable(
        f"{socket_dir} was made by somebody else or is open to others, and is not trusted. "
        "Find out who made it, remove it and start again."
    )
