"""Another connection, which holds something while a test goes on."""

import threading
from contextlib import closing, contextmanager

from django.db import connection

from campaigns import bulk

PATIENCE = 30  # seconds


@contextmanager
def elsewhere(hold):
    """What ``hold`` does in a transaction of another connection stands until the block ends, or sets what it is given."""
    held, over = threading.Event(), threading.Event()

    def work():
        with closing(connection), bulk.db_transaction.atomic():
            hold()
            held.set()
            over.wait(PATIENCE)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert held.wait(PATIENCE)
        yield over
    finally:
        over.set()
        thread.join()
