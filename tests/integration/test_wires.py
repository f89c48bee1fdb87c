"""The WhatsApp and GENIQ wires against the simulator: sent over real HTTP, reported on, and read back as statuses."""

import time

import pytest

from callbacks import parsing
from campaigns.exotel import bodies, whatsapp
from campaigns.exotel.geniq import Geniq
from campaigns.exotel.whatsapp import Item, WhatsApp
from campaigns.models import Attempt, Message
from campaigns.sending import dispatch, evidence
from campaigns.sending.evidence import Evidence
from campaigns.sending.outcomes import Kind, geniq
from campaigns.sending.outcomes.whatsapp import classify
from tests import builders
from tests.raw import Server, answering
from tests.simulated import KEY, SID, TOKEN

pytestmark = pytest.mark.django_db(transaction=True)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NUMBERS = ["9812345670", "9812345671", "9812345672"]


@pytest.fixture
def receiver():
    made = Server(answering(OK))
    yield made
    made.close()


def reports(receiver, wanted):
    """What the callbacks say, once so many messages are reported as delivered."""
    found = []
    until = time.monotonic() + 20
    while time.monotonic() < until:
        bodies = [request.partition(b"\r\n\r\n")[2] for request in list(receiver.requests)]
        found = [report for body in bodies for report in parsing.reports(body)]
        if len({report.sid for report in found if report.state == "delivered"}) >= wanted:
            return found
        time.sleep(0.05)
    raise AssertionError(f"Too few messages are delivered: {found}")


# WhatsApp -----------------------------------------------------------------------------------------------------------


def test_whatsapp_messages_are_sent_and_their_way_to_the_reader_is_reported(simulator, receiver):
    simulator.scenario(outcomes={"20005": 1}, delay=[0, 0.1])
    content = whatsapp.template("order_ready", "en", [whatsapp.body(["42"])])
    items = [Item(f"+91{number}", content, f"b8.m{i}") for i, number in enumerate(NUMBERS)]
    batch = whatsapp.Batch("+918047112233", items, f"http://127.0.0.1:{receiver.port}/wa")
    with WhatsApp(simulator.url, SID, KEY, TOKEN) as client:
        outcome = classify(client.messages(batch), NUMBERS)
    assert [item.state for item in outcome.items] == [Kind.ACCEPTED] * 3
    held = {entry["number10"]: entry["sid"] for entry in simulator.ledger()}
    assert [item.sid for item in outcome.items] == [held[number] for number in NUMBERS]
    told = reports(receiver, 3)
    last = {report.number10: report for report in sorted(told, key=lambda report: ORDER.index(report.state))}
    assert {number: report.sid for number, report in last.items()} == held
    assert {report.state for report in last.values()} <= {"delivered", "read"}
    assert {report.custom for report in told} == {"b8.m0", "b8.m1", "b8.m2"}


ORDER = ["queued", "submitted", "delivered", "read"]


def test_a_whatsapp_item_that_cannot_be_sent_fails_alone(simulator):
    items = [Item(f"+91{NUMBERS[0]}", whatsapp.text("Hello")), Item("+9112", whatsapp.text("Hello"))]
    with WhatsApp(simulator.url, SID, KEY, TOKEN) as client:
        outcome = classify(client.messages(whatsapp.Batch("+918047112233", items)), ["9812345670", "0000000012"])
    assert [item.state for item in outcome.items] == [Kind.ACCEPTED, Kind.REJECTED]
    assert outcome.items[1].code.startswith("wa:")


@pytest.mark.parametrize(("key", "kind"), [("wrongkey", "stop_account"), (KEY, "answered")])
def test_whatsapp_credentials_decide(simulator, key, kind):
    batch = whatsapp.Batch("+918047112233", [Item(f"+91{NUMBERS[0]}", whatsapp.text("Hello"))])
    with WhatsApp(simulator.url, SID, key, TOKEN) as client:
        assert classify(client.messages(batch), NUMBERS[:1]).kind == kind


# GENIQ --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def geniq_account(simulator, receiver):
    made = builders.account(
        account_sid=SID, base_url=simulator.url, rate_per_minute=0, senders=2, provider="geniq", sender_id="ACME"
    )
    made.set_credentials(KEY, TOKEN)
    made.save()
    simulator.account(receipt_url=f"http://127.0.0.1:{receiver.port}/receipts")
    return made


def test_a_campaign_of_a_geniq_account_goes_out_one_text_a_request(simulator, geniq_account):
    campaign = builders.launched(account=geniq_account, recipients=5)
    dispatch.pump(geniq_account.pk)
    ledger = {entry["number10"]: entry for entry in simulator.ledger()}
    assert len(ledger) == len(simulator.ledger()) == 5
    assert ledger["9800000003"]["body"] == "Dear Person 3, your payment of Rs 3.50 is due. -ACME"
    assert set(Message.objects.filter(campaign=campaign).values_list("state", flat=True)) == {"accepted"}
    assert Attempt.objects.filter(campaign=campaign, size=1).count() == 5


def test_one_text_for_all_is_one_geniq_request(simulator, geniq_account):
    campaign = builders.campaign(account=geniq_account, recipients=30, template=builders.template(body="We are open. -ACME"))
    campaign.imports.update(mapping={"phone": "mobile", "vars": []})
    builders.launch.launch(campaign, None, accept_warnings=True)
    builders.launch.write_messages(campaign.pk)
    dispatch.pump(geniq_account.pk)
    assert Attempt.objects.get(campaign=campaign).size == 30
    assert len({entry["number10"] for entry in simulator.ledger()}) == 30


def test_receipts_of_geniq_become_deliveries(simulator, receiver, geniq_account):
    simulator.scenario(outcomes={"20005": 1}, delay=[0, 0.1])
    campaign = builders.launched(account=geniq_account, recipients=3)
    dispatch.pump(geniq_account.pk)
    told = reports(receiver, 3)
    evidence.apply([Evidence.of(geniq_account.callback_id, report, builders.now()) for report in told])
    assert set(Message.objects.filter(campaign=campaign).values_list("delivery", flat=True)) == {"delivered"}


def test_a_wrong_geniq_secret_stops_the_account_and_loses_nothing(simulator, geniq_account):
    geniq_account.set_credentials(KEY, "wrongsecret")
    geniq_account.save()
    campaign = builders.launched(account=geniq_account, recipients=3)
    dispatch.pump(geniq_account.pk)
    geniq_account.refresh_from_db()
    assert geniq_account.stopped_at
    assert "GENIQ" in geniq_account.stop_reason
    assert set(Message.objects.filter(campaign=campaign).values_list("state", flat=True)) == {"pending"}
    assert simulator.ledger() == []


def test_geniq_refuses_one_bad_number_alone(simulator):
    batch = bodies.Batch("ACME", [bodies.Item("+9112", "Hello")])
    with Geniq(simulator.url, SID, KEY, TOKEN) as client:
        outcome = geniq.classify(client.bulksend(batch), ["0000000012"])
    assert [(item.state, item.code) for item in outcome.items] == [(Kind.REJECTED, "geniq:11")]
