"""Work that is cut off in its middle: by an exception that nothing catches, or by kill -9 of a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from campaigns import bulk

ROOT = Path(__file__).resolve().parent.parent


class Killed(BaseException):
    """As if the process ended here."""


def dying(step, chance, before):
    """A step that dies now and then, before it is done or after it."""

    def run(*arguments):
        dies = chance.random() < 0.3
        if before and dies:
            raise Killed
        done = step(*arguments)
        if dies:
            raise Killed
        return done

    return run


def run_apart(script, failpoints):
    """Run a script in a process of its own, on the database of this test, with failpoints armed."""
    name = connection.settings_dict["NAME"]
    url = (
        urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        if bulk.is_postgres()
        else f"sqlite:///{name}"
    )
    environment = {
        "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "exodash.settings", "EXODASH_DEBUG": "1", "EXODASH_FAILPOINTS": failpoints,
    }  # fmt: skip
    command = [sys.executable, "-c", f"import django; django.setup()\n{script}"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, timeout=60, check=False)
