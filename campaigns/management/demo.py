"""What a first look needs: an account at the local simulator, one approved template and a file with honest mistakes."""

import csv
import random
from pathlib import Path

from django.conf import settings

from campaigns.models import Account, Template

SID, KEY, TOKEN = "exodemo1", "demokey", "demotoken"
ENTITY, TEMPLATE_ID, HEADER = "1501000000000000001", "1507000000000000002", "ACMEIN"
BODY = "Dear {#var#}, your payment of Rs {#var#} is due on {#var#}. Pay at acme.example/pay -ACME"
ROWS = 1_000
FIRST = [
    "Asha",
    "Ravi",
    "Meera",
    "Arjun",
    "Lakshmi",
    "Imran",
    "Kavya",
    "Rohan",
    "Fatima",
    "Sanjay",
    "Divya",
    "Vikram",
    "Anita",
    "Joseph",
    "Priya",
    "Manoj",
]
LAST = [
    "Rao",
    "Iyer",
    "Khan",
    "Patel",
    "Singh",
    "Das",
    "Nair",
    "Gupta",
    "Reddy",
    "Joshi",
    "Mehta",
    "Bose",
    "Pillai",
    "Shah",
    "Kaur",
    "Dsouza",
]
# Row number: what a real list gets wrong there.
MISTAKES = {
    37: {"mobile": "98765"},
    120: {"mobile": ""},
    121: {"amount_due": ""},
    305: {"mobile": "9.87654E+09"},
    306: {"mobile": "9.81235E+09"},
    512: {"mobile": "022 2345 6789"},
    640: {"mobile": "not given"},
    777: {"customer_name": ""},
    850: {"customer_name": "मीरा शर्मा"},
    905: {"due_on": "the first working day after the next bank holiday of the month"},
}


def present() -> bool:
    return Account.objects.filter(account_sid=SID).exists()


def sample_file() -> Path:
    return settings.DATA_DIR / "sample-recipients.csv"


def address() -> str:
    return f"http://127.0.0.1:{settings.SIMULATOR_PORT}"


def follow_port() -> None:
    """Point the demo account at the simulator's present port, which may be another than at the last start."""
    Account.objects.filter(account_sid=SID, base_url__startswith="http://127.0.0.1:").update(base_url=address())


def create() -> None:
    account = Account(
        name="Demo (simulator)",
        account_sid=SID,
        base_url=address(),
        sender_id=HEADER,
        dlt_entity_id=ENTITY,
        allowed_links="acme.example",
    )
    account.set_credentials(KEY, TOKEN)
    account.save()
    Template.objects.get_or_create(
        name="Payment due",
        defaults={
            "body": BODY,
            "dlt_template_id": TEMPLATE_ID,
            "dlt_entity_id": ENTITY,
            "header": HEADER,
            "language": "en",
            "category": Template.Category.SERVICE_IMPLICIT,
        },
    )
    write_sample(sample_file())


def write_sample(path: Path) -> None:
    """1,000 recipients: numbers in several spellings, five people twice, and the mistakes above."""
    chance = random.Random(20)
    rows = [_row(chance, i) for i in range(1, ROWS + 1)]
    for i in (200, 201, 444, 666, 999):
        rows[i - 1]["mobile"] = rows[i // 4]["mobile"]
    for i, mistake in MISTAKES.items():
        rows[i - 1].update(mistake)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _row(chance: random.Random, i: int) -> dict[str, str]:
    ten = f"9{chance.randrange(10**8):08d}{i % 10}"
    spelling = chance.choice(["{0}", "+91{0}", "0{0}", "91{0}", "{1} {2}"])
    return {
        "customer_name": f"{chance.choice(FIRST)} {chance.choice(LAST)}",
        "mobile": spelling.format(ten, ten[:5], ten[5:]),
        "amount_due": f"{chance.randrange(100, 9000)}.{chance.randrange(100):02d}",
        "due_on": f"{chance.randrange(1, 29)} Dec",
    }
