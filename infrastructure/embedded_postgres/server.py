"""Runs one PostgreSQL server for a data directory: made once, started, kept running, stopped.

The server belongs to the process that starts it. A lock of the kernel keeps a second one out, and a death
signal takes the server along when that process ends in any way; what was committed is never lost.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import structlog

from infrastructure.bound_process import Account, bound_command, start_from_lasting_thread
from infrastructure.embedded_postgres import places
from infrastructure.embedded_postgres.binaries import program_environment, programs_for
from infrastructure.embedded_postgres.errors import PostgresUnavailable
from infrastructure.embedded_postgres.roles import ensure_database, ensure_roles
from infrastructure.embedded_postgres.server_log import ServerLog
from infrastructure.embedded_postgres.survivors import end_survivors

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "billing",
    # Processes hold up to 40 each; a dozen fit on a machine, beside those that take over from killed ones.
    "max_connections": "400",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    # Errors and warnings quote values and details quote rows; the service tells its own errors, without them.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}
"""Given on the command line at every start, so that neither a file nor ALTER SYSTEM can undo them."""

CLUSTER_BY_DESCRIPTOR = "/proc/self/cwd"
"""How PostgreSQL is told its data directory, which the launcher has entered for it.

So the cluster may lie below folders closed to PostgreSQL's account, and its path be of any length.
"""

START_TIMEOUT_SECONDS = 300.0
"""Recovery after a crash replays the write-ahead log first, which can take minutes."""

MAX_FAILED_RESTARTS = 5

STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""Signal and seconds of patience: roll back and write out; give up at once; by force."""

_log = structlog.get_logger()


class EmbeddedPostgres:
    """The PostgreSQL server of `data_dir` (relative or absolute; made where it misses); a context manager.

    Not for use by several threads at once. Methods raise PostgresUnavailable when they cannot do their work.
    """

    def __init__(self, data_dir: Path) -> None:
        self._places = places.places_of(data_dir)
        self._server_log = ServerLog(self._places.log)
        self._lock_fd: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failed_restarts = 0

    @property
    def admin_url(self) -> str:
        """The billing database as the superuser."""
        return places.admin_url(self._places.data_dir)

    @property
    def service_url(self) -> str:
        """The billing database as the service's role."""
        return places.service_url(self._places.data_dir)

    def start(self) -> None:
        """Make the cluster on the first start, clear up after a killed server, and return when it answers."""
        if sys.platform != "linux":
            raise PostgresUnavailable(
                "The embedded PostgreSQL needs Linux. Set BILLING_DATABASE_URL to a running server."
            )
        with self._explained_os_errors():
            self._places.data_dir.mkdir(parents=True, exist_ok=True)
            self._lock_fd = self._acquire_lock()
            try:
                self._start_locked()
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """End the server, its open transactions rolled back, and let others start it. Safe to repeat."""
        if self._process is not None:
            self._stop_process(self._process)
            places.remove_socket_dir(self._places.socket_dir)
            self._process = None
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def ensure_running(self) -> None:
        """Start the server again if it died since start(), waiting until it answers; otherwise cheap.

        A restart that fails, as when the server is killed again while it recovers, is left to the next calls;
        the last of MAX_FAILED_RESTARTS in a row raises.
        """
        if self._process is None:
            raise PostgresUnavailable("The embedded PostgreSQL was never started. Call start() first.")
        with self._explained_os_errors():
            self._server_log.rotate_if_large()
            exit_code = self._process.poll()
            if exit_code is not None:
                _log.warning("embedded_postgres.died", exit_code=exit_code)
                self._restart()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @contextlib.contextmanager
    def _explained_os_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PostgresUnavailable(
                f"The embedded PostgreSQL cannot work in {self._places.data_dir}: {error}. Make it writable "
                "and free some space, choose another BILLING_DATA_DIR, or set BILLING_DATABASE_URL."
            ) from error

    def _acquire_lock(self) -> int:
        """Hold an flock for as long as this process lives; the file names its holder for people only."""
        lock_fd = os.open(self._places.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(lock_fd, 32).decode().strip()
            os.close(lock_fd)
            raise PostgresUnavailable(
                f"Process {holder or 'unknown'} already runs the PostgreSQL of {self._places.data_dir}. "
                "Stop it, or choose another BILLING_DATA_DIR."
            ) from error
        os.ftruncate(lock_fd, 0)
        os.pwrite(lock_fd, f"{os.getpid()}\n".encode(), 0)
        return lock_fd

    def _account_to_take(self) -> Account | None:
        """The account to run programs under, None when it is the caller's own."""
        account = places.server_account(self._places.cluster)
        if account.uid == os.geteuid():
            return None
        if os.geteuid() != 0:
            raise PostgresUnavailable(
                f"{self._places.cluster} belongs to the account {account.name or account.uid}. "
                "Start as that account or as root, or choose another BILLING_DATA_DIR."
            )
        return account

    def _start_locked(self) -> None:
        account = self._account_to_take()
        programs = programs_for(account)
        if not self._places.cluster.exists():
            self._make_cluster(programs, account)
        self._start_process(programs)
        try:
            with psycopg.connect(self._maintenance_url(), autocommit=True) as connection:
                ensure_roles(connection)
                ensure_database(connection)
        except psycopg.Error as error:
            raise PostgresUnavailable(
                f"PostgreSQL runs but cannot be used: {error}. See {self._places.log}."
            ) from error

    def _make_cluster(self, programs: Path, account: Account | None) -> None:
        """Run initdb aside and rename its result, so that an interrupted one leaves only litter."""
        for litter in self._places.data_dir.glob("postgres.new-*"):
            end_survivors(litter)
            shutil.rmtree(litter)
        fresh = self._places.data_dir / f"postgres.new-{os.getpid()}"
        fresh.mkdir(mode=0o700)
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
        # The builtin locale orders by code point, the same on every machine and after every upgrade.
        options = [
            f"--pgdata={CLUSTER_BY_DESCRIPTOR}",
            f"--username={places.ADMIN_ROLE}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ]
        command = bound_command(
            [str(programs / "initdb"), *options],
            death_signal=signal.SIGKILL,
            account=account,
            working_directory=fresh,
        )
        made = subprocess.run(  # noqa: S603 - the program was chosen by `programs_for`.
            command, env=program_environment(), capture_output=True, check=False
        )
        if made.returncode != 0:
            shutil.rmtree(fresh)
            reason = made.stderr.decode(errors="replace").strip()
            raise PostgresUnavailable(
                f"The cluster could not be made in {self._places.data_dir}; initdb said: {reason}\n"
                "Put that right and start again, or set BILLING_DATABASE_URL to a running server."
            )
        fresh.rename(self._places.cluster)
        directory_fd = os.open(self._places.data_dir, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(directory_fd)
        os.close(directory_fd)

    def _start_process(self, programs: Path) -> None:
        """Start the postmaster on a cluster that nothing else uses, and wait until it answers."""
        account = places.server_account(self._places.cluster)
        end_survivors(self._places.cluster)
        places.prepare_socket_dir(self._places.socket_dir, account)
        settings = {**SETTINGS, "unix_socket_directories": str(self._places.socket_dir)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = bound_command(
            [str(programs / "postgres"), "-D", CLUSTER_BY_DESCRIPTOR, *options],
            death_signal=signal.SIGQUIT,
            account=self._account_to_take(),
            working_directory=self._places.cluster,
        )
        with self._server_log.open_for_server() as output:
            self._process = start_from_lasting_thread(command, env=program_environment(), output=output)
        self._wait_until_ready(self._process)

    def _restart(self) -> None:
        try:
            self._start_process(programs_for(self._account_to_take()))
        except PostgresUnavailable as error:
            self._failed_restarts += 1
            if self._failed_restarts == MAX_FAILED_RESTARTS:
                raise
            _log.error("embedded_postgres.restart_failed", reason=str(error))
            return
        self._failed_restarts = 0
        _log.info("embedded_postgres.restarted")

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        """Follow the state that the postmaster keeps on the last line of its lock file, as pg_ctl does."""
        lock_file = self._places.cluster / "postmaster.pid"
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not (lock_file.exists() and lock_file.read_text().rstrip().endswith("\nready")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise PostgresUnavailable(
                    "PostgreSQL did not start. Put right what its log says, then start again:\n"
                    f"{self._server_log.last_lines(20)}"
                )
            time.sleep(0.01)

    def _stop_process(self, process: "subprocess.Popen[bytes]") -> None:
        for step, patience_seconds in STOP_STEPS:
            process.send_signal(step)
            try:
                process.wait(patience_seconds)
                break
            except subprocess.TimeoutExpired:
                _log.warning("embedded_postgres.stop_is_slow", sent=step.name)
        end_survivors(self._places.cluster)

    def _maintenance_url(self) -> str:
        """The database that exists from the first start on."""
        return places.url(self._places.data_dir, role=places.ADMIN_ROLE, database="postgres")
