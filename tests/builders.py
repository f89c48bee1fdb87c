"""Rows for tests, made the way the product makes them: an account, a template, a campaign with recipients and messages."""

import itertools
import uuid

from django.utils import timezone

from campaigns.models import Account, Campaign, Import, Owner, Recipient, Template
from campaigns.models.states import ImportState
from campaigns.sending import control, launch

BODY = "Dear {#var#}, your payment of Rs {#var#} is due. -ACME"
ENTITY, TEMPLATE_ID, HEADER = "1501000000000000001", "1507000000000000002", "ACMEIN"
_counter = itertools.count(1)


def number(i):
    """The i-th Indian mobile number of the tests."""
    return 919800000000 + i


def account(**fields):
    i = next(_counter)
    values = {
        "name": f"Account {i}", "account_sid": f"acme{i}", "base_url": "http://127.0.0.1:9", "sender_id": HEADER,
        "dlt_entity_id": ENTITY, "rate_per_minute": 0,
    } | fields  # fmt: skip
    made = Account(**values)
    made.set_credentials("key", "token")
    made.save()
    return made


def template(**fields):
    values = {
        "name": f"Template {next(_counter)}", "body": BODY, "dlt_template_id": TEMPLATE_ID, "dlt_entity_id": ENTITY,
        "header": HEADER, "category": "service_implicit",
    } | fields  # fmt: skip
    return Template.objects.create(**values)


def campaign(*, recipients=0, numbers=None, **fields):
    """A draft; with recipients it has one finished import."""
    values = {"name": f"Campaign {next(_counter)}"} | fields
    values.setdefault("account", fields.get("account") or account())
    values.setdefault("template", fields.get("template") or template())
    made = Campaign.objects.create(**values)
    numbers = numbers or [number(i) for i in range(recipients)]
    if numbers:
        add_recipients(made, numbers)
    return made


def add_recipients(made, numbers):
    source = Import.objects.create(
        campaign=made, state=ImportState.DONE, filename="people.csv", path="", header=["mobile", "name", "amount"],
        mapping={"phone": "mobile", "vars": ["name", "amount"]}, rows=len(numbers), accepted=len(numbers), units=len(numbers),
        template_version=made.template.version, terms=made.terms(),
    )  # fmt: skip
    Recipient.objects.bulk_create(
        Recipient(
            campaign=made,
            source=source,
            line=i + 2,
            number=n,
            cells=[str(n), f"Person {i}", f"{i}.50"],
            units=1,
        )
        for i, n in enumerate(numbers)
    )
    return source


def launched(**fields):
    """A running campaign with its messages written; nothing sent."""
    return launch_written(campaign(**({"recipients": 3} | fields)))


def launch_written(made):
    """The draft, running and with its messages written."""
    launch.launch(made, None, accept_warnings=True)
    launch.write_messages(made.pk)
    made.refresh_from_db()
    return made


def owner(**fields):
    return Owner.objects.create(**({"id": uuid.uuid4(), "host": "elsewhere", "pid": 1} | fields))


def paused(**fields):
    made = launched(**fields)
    control.pause(made)
    made.refresh_from_db()
    return made


def now():
    return timezone.now()
