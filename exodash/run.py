"""Everything on one machine, with one command: ``make run``.

Prepares the installation, then runs the web process, the worker and, while the only account is the demo one, the simulator.
Ctrl-C ends all of them: the worker first, so that requests in flight finish.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from exodash import env

HOST = "127.0.0.1"
GRACE = {"worker": 75, "web": 15, "simulator": 10}  # seconds until a process that does not end is killed


def main() -> int:
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell starts background jobs with it ignored
        signal.signal(ending, signal.default_int_handler)
    data = env.data_dir()
    try:
        port, simulator_port = ports()
    except ImproperlyConfigured as fault:
        print(fault)
        return 1
    env.generate_secrets(data / "secrets.env")
    os.environ.setdefault("EXODASH_ALLOWED_EXOTEL_HOSTS", f"{HOST}:{simulator_port}")
    ready = prepare(data)
    processes = start(data, port, simulator_port if ready["demo"] else None)
    try:
        if not wait_for(f"http://{HOST}:{port}/login/", processes):
            print("The web process did not start. What it said is above.")
            return 1
        print(welcome(port, ready, data), flush=True)
        return watch(processes)
    except KeyboardInterrupt:
        return 0
    finally:
        end(processes)


def ports() -> tuple[int, int]:
    """Of the web process and of the simulator; raises ImproperlyConfigured with a sentence when they cannot be had."""
    port, simulator_port = env.integer("PORT", 8000, 1, 65535), env.integer("SIMULATOR_PORT", 8010, 1, 65535)
    if port == simulator_port:
        raise ImproperlyConfigured(
            f"PORT and SIMULATOR_PORT are both {port}. Choose two different ports: make run SIMULATOR_PORT={beside(port)}"
        )
    for number, name in ((port, "PORT"), (simulator_port, "SIMULATOR_PORT")):
        if taken(number):
            raise ImproperlyConfigured(
                f"Port {number} on {HOST} is in use by another program. Choose a free one: make run {name}={beside(number)}"
            )
    return port, simulator_port


def beside(port: int) -> int:
    return port + 1 if port < 65535 else port - 1


def taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(env.BASE_DIR / "manage.py"), *arguments]


def prepare(data: Path) -> dict[str, str]:
    """Migrate, make roles, the administrator and the first account; all of it only where it is missing."""
    command = manage("bootstrap", "--demo", "--password-file", str(data / "admin-password.txt"))
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def start(data: Path, port: int, simulator_port: int | None) -> dict[str, subprocess.Popen[bytes]]:
    commands = {
        "web": [sys.executable, "-m", "uvicorn", "exodash.asgi:application", "--host", HOST, "--port", str(port),
                "--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "10"],
        "worker": manage("run_worker"),
    }  # fmt: skip
    if simulator_port:
        commands["simulator"] = [
            sys.executable, "-m", "campaigns.exotel.simulator", "--port", str(simulator_port),
            "--ledger", str(data / "simulator.sqlite3"),
        ]  # fmt: skip
    # Sessions of their own: a Ctrl-C in the terminal reaches us alone, and we end them in order.
    return {name: subprocess.Popen(command, cwd=env.BASE_DIR, start_new_session=True) for name, command in commands.items()}


def wait_for(url: str, processes: dict[str, subprocess.Popen[bytes]], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not list(ended(processes)):
        try:
            urllib.request.urlopen(url, timeout=2)  # noqa: S310
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False


def ended(processes: dict[str, subprocess.Popen[bytes]]) -> Iterator[str]:
    return (name for name, process in processes.items() if process.poll() is not None)


def watch(processes: dict[str, subprocess.Popen[bytes]]) -> int:
    """Wait for Ctrl-C or SIGTERM; when a process ends by itself, say which and end the others."""
    while True:
        for name in ended(processes):
            print(
                f"The {name} process ended by itself, so the others are stopped too. What it said is above. Nothing is lost."
            )
            return 1
        time.sleep(0.5)


def end(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    print("\nStopping: requests in flight finish first.", flush=True)
    for name in ("worker", "web", "simulator"):
        process = processes.get(name)
        if process is None:
            continue
        process.terminate()
        try:
            process.wait(GRACE[name])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def shown(path: Path) -> str:
    """A path as it is typed from here."""
    return str(path.relative_to(env.BASE_DIR) if path.is_relative_to(env.BASE_DIR) else path)


def welcome(port: int, ready: dict[str, str], data: Path) -> str:
    password_file = data / "admin-password.txt"
    login = f"user {ready['administrator']}, the password you chose"
    if ready["password"]:
        login = f"user {ready['administrator']}, password {ready['password']}   (also in {shown(password_file)})"
    elif password_file.exists():
        login = f"user {ready['administrator']}, password in {shown(password_file)}"
    lines = [
        "",
        f"  Exodash is ready:  http://{HOST}:{port}/",
        f"  Log in:            {login}",
    ]
    if ready["demo"]:
        lines += [
            f"  Try it:            New campaign > upload {shown(data / 'sample-recipients.csv')} > Match columns > Launch",
            "                     It is sent to the simulator on this machine; nobody gets an SMS.",
        ]
    return "\n".join([*lines, "  Stop:              Ctrl-C", ""])


if __name__ == "__main__":
    sys.exit(main())
