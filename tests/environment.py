"""The environment of every test run, set before Django reads its settings (tests.settings)."""

import os
import tempfile
from pathlib import Path

SCRATCH = tempfile.mkdtemp(prefix="exodash-tests-")
DEFAULTS = {
    "EXODASH_DATA_DIR": SCRATCH,
    "EXODASH_SECRET_KEY": "only-for-tests",
    "EXODASH_CALLBACK_KEYS": "k2:" + "22" * 32 + ",k1:" + "11" * 32,
    "EXODASH_SECRETS_KEYS": "s1:" + "33" * 32,
    "EXODASH_ALLOWED_EXOTEL_HOSTS": "127.0.0.1",
    "EXODASH_WEBHOOK_HOSTS": "127.0.0.1",
    "EXODASH_ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
}
for name, value in DEFAULTS.items():
    os.environ[name] = value
Path(SCRATCH, "staticfiles").mkdir()
# A database of the tests' own: a file, because threads of the sender share it. DATABASE_URL=postgres://... runs the same there.
os.environ.setdefault("DATABASE_URL", f"sqlite:///{SCRATCH}/tests.sqlite3")
os.environ.pop("EXODASH_REDIS_URL", None)
