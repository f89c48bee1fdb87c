"""The pump against a real simulator: what is sent, once; what each answer means; who is stopped and how to go on."""

import uuid

import pytest
from django_q.models import OrmQ

from campaigns.models import Account, Attempt, Campaign, Count, Limiter, Message, Owner, Suppression
from campaigns.models.states import MessageState
from campaigns.sending import control, dispatch, intent, launch, recover, settle
from campaigns.sending.counting import Place, add_up
from campaigns.sending.outcomes import ItemResult, Kind, Outcome
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def states(campaign):
    found = Message.objects.filter(campaign=campaign).values_list("state", flat=True)
    return {state: list(found).count(state) for state in set(found)}


def counted(campaign):
    """The counters of a campaign by state."""
    rows = Count.objects.filter(campaign=campaign).values_list(
        "campaign_id", "quarter", "state", "delivery", "code", "conflict", "n", "units"
    )
    sums = {}
    for place, (n, _) in add_up([(Place(*row[:6]), row[6], row[7]) for row in rows]).items():
        sums[place.state] = sums.get(place.state, 0) + n
    return sums


def fresh(campaign):
    return Campaign.objects.get(pk=campaign.pk)


def test_every_message_is_handed_over_once_with_its_own_text(simulator, exotel_account):
    campaign = builders.launched(account=exotel_account, recipients=250)
    assert dispatch.pump(exotel_account.pk)["requests"] == 3
    ledger = {entry["number10"]: entry for entry in simulator.ledger()}
    assert len(ledger) == len(simulator.ledger()) == 250
    assert ledger["9800000007"]["body"] == "Dear Person 7, your payment of Rs 7.50 is due. -ACME"
    assert states(campaign) == counted(campaign) == {MessageState.ACCEPTED: 250}
    assert fresh(campaign).state == "finished"


def test_a_request_names_its_own_signed_callback_and_its_attempt(simulator, exotel_account):
    builders.launched(account=exotel_account, recipients=2)
    dispatch.pump(exotel_account.pk)
    attempt = Attempt.objects.get()
    entry = simulator.ledger()[0]
    assert entry["custom_field"] == attempt.pk.hex
    assert f"/callbacks/v1/k2/{attempt.pk.hex}." in entry["status_callback"]
    assert (entry["sms_type"], entry["dlt_entity_id"]) == ("transactional", builders.ENTITY)


def test_an_edit_after_the_launch_changes_nothing_that_is_sent(simulator, exotel_account):
    campaign = builders.launched(account=exotel_account, recipients=1)
    campaign.template.body = "Something else {#var#} {#var#}"
    campaign.template.save()
    dispatch.pump(exotel_account.pk)
    assert simulator.ledger()[0]["body"].startswith("Dear Person 0")


@pytest.mark.parametrize(
    ("fault", "account_stopped", "words"),
    [
        ("wrong_credentials", True, "API key and token"),
        ("no_balance", True, "Recharge"),
    ],
)
def test_a_refused_account_stops_with_the_fix_and_loses_nothing(simulator, exotel_account, fault, account_stopped, words):
    simulator.scenario(faults=[{"kind": fault, "share": 1}])
    campaign = builders.launched(account=exotel_account, recipients=5)
    dispatch.pump(exotel_account.pk)
    stopped = fresh(campaign)
    assert (stopped.state, states(campaign)) == ("stopped", {MessageState.PENDING: 5})
    assert words in stopped.state_reason
    assert bool(Account.objects.get(pk=exotel_account.pk).stopped_at) is account_stopped
    simulator.scenario(faults=[])
    control.resume(stopped)
    dispatch.pump(exotel_account.pk)
    assert (fresh(campaign).state, len(simulator.ledger())) == ("finished", 5)


def test_wrong_credentials_are_used_no_more_once_mended(simulator, exotel_account):
    exotel_account.set_credentials("old", "old")
    exotel_account.save()
    campaign = builders.launched(account=exotel_account, recipients=5)
    dispatch.pump(exotel_account.pk)
    assert fresh(campaign).state == "stopped"
    exotel_account.set_credentials("demokey", "demotoken")
    exotel_account.save()
    control.resume(fresh(campaign))
    dispatch.pump(exotel_account.pk)
    assert len(simulator.ledger()) == 5


@pytest.mark.parametrize("fault", ["throttle", "throttle503"])
def test_a_throttled_request_is_sent_again_later_and_not_sooner(simulator, exotel_account, settings, fault):
    settings.TASK_BUDGET = 1
    simulator.scenario(faults=[{"kind": fault, "at": [1]}])
    campaign = builders.launched(account=exotel_account, recipients=3)
    Limiter.objects.filter(account=exotel_account).update(throttles=6)
    dispatch.pump(exotel_account.pk)
    assert states(campaign) == {MessageState.PENDING: 3}
    assert recover.ring() == 0, "no wake-up while Exotel asks us to wait"
    assert not intent.commit(builders.owner().pk, exotel_account.pk)
    Limiter.objects.filter(account=exotel_account).update(blocked_until=0)
    dispatch.pump(exotel_account.pk)
    assert states(campaign) == {MessageState.ACCEPTED: 3}


@pytest.mark.parametrize("fault", ["error500", "error503", "reset_before", "reset_after", "bad_json", "html"])
def test_an_unknown_outcome_is_never_sent_again(simulator, exotel_account, fault):
    simulator.scenario(faults=[{"kind": fault, "at": [1]}])
    campaign = builders.launched(account=exotel_account, recipients=3)
    for _ in range(3):
        dispatch.pump(exotel_account.pk)
        recover.sweep(recover.Observer())
    assert states(campaign) == counted(campaign) == {MessageState.UNCONFIRMED: 3}
    assert len(simulator.requests()) == 1


def test_three_doubts_in_a_row_stop_the_campaign(simulator, exotel_account):
    Account.objects.filter(pk=exotel_account.pk).update(senders=1)
    simulator.scenario(faults=[{"kind": "error500", "share": 1}])
    campaign = builders.launched(account=exotel_account, recipients=1000)
    dispatch.pump(exotel_account.pk)
    assert states(campaign) == {MessageState.UNCONFIRMED: 300, MessageState.PENDING: 700}
    assert "unconfirmed" in fresh(campaign).state_reason


@pytest.mark.parametrize("fault", ["short_answer", "reordered"])
def test_answers_are_matched_by_number_not_by_position(simulator, exotel_account, fault):
    simulator.scenario(faults=[{"kind": fault, "at": [1]}])
    campaign = builders.launched(account=exotel_account, recipients=4)
    dispatch.pump(exotel_account.pk)
    sids = {entry["number10"]: entry["sid"] for entry in simulator.ledger()}
    for message in Message.objects.filter(campaign=campaign, state=MessageState.ACCEPTED):
        assert sids[str(message.number)[2:]] == message.sid
    assert states(campaign).get(MessageState.UNCONFIRMED, 0) == (1 if fault == "short_answer" else 0)


def test_an_unreachable_exotel_burns_nothing(exotel_account, simulator):
    simulator.stop()
    campaign = builders.launched(account=exotel_account, recipients=3)
    dispatch.pump(exotel_account.pk)
    assert states(campaign) == {MessageState.PENDING: 3}
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"not_sent"}


def test_an_opt_out_after_the_import_is_respected(simulator, exotel_account):
    campaign = builders.launched(account=exotel_account, recipients=3)
    Suppression.objects.create(number=builders.number(1), reason="opt_out")
    dispatch.pump(exotel_account.pk)
    assert states(campaign) == counted(campaign) == {MessageState.ACCEPTED: 2, MessageState.SUPPRESSED: 1}
    assert "9800000001" not in {entry["number10"] for entry in simulator.ledger()}


def test_after_a_pause_no_intent_commits_and_a_resume_loses_nothing(simulator, exotel_account):
    campaign = builders.launched(account=exotel_account, recipients=150)
    owner = builders.owner()
    assert intent.commit(owner.pk, exotel_account.pk)
    control.pause(campaign)
    assert intent.commit(owner.pk, exotel_account.pk) is None
    control.resume(campaign)
    assert intent.commit(owner.pk, exotel_account.pk)
    assert states(campaign) == {MessageState.IN_FLIGHT: 150}


def test_a_cancelled_campaign_sends_nothing_more_and_keeps_its_outcomes(simulator, exotel_account):
    campaign = builders.launched(account=exotel_account, recipients=150)
    intent.commit(builders.owner().pk, exotel_account.pk)
    control.cancel(campaign)
    assert control.wind_up(campaign.pk) == 50
    assert states(campaign) == counted(campaign) == {MessageState.IN_FLIGHT: 100, MessageState.CANCELLED: 50}


def test_a_dead_senders_messages_become_unconfirmed_and_stay_so(simulator, exotel_account, settings):
    campaign = builders.launched(account=exotel_account, recipients=5)
    owner = builders.owner()
    intent.commit(owner.pk, exotel_account.pk)
    clock = [0.0]
    observer = recover.Observer(lambda: clock[0])
    recover.sweep(observer)
    assert states(campaign) == {MessageState.IN_FLIGHT: 5}
    clock[0] += settings.OWNER_TIMEOUT
    recover.sweep(observer)
    assert states(campaign) == counted(campaign) == {MessageState.UNCONFIRMED: 5}
    dispatch.pump(exotel_account.pk)
    assert simulator.ledger() == []


def test_a_sender_that_was_called_dead_cannot_begin_another_request(simulator, exotel_account):
    builders.launched(account=exotel_account, recipients=150)
    owner = builders.owner()
    assert intent.commit(owner.pk, exotel_account.pk)
    Owner.objects.filter(pk=owner.pk).update(dead=True)
    assert intent.commit(owner.pk, exotel_account.pk) is None


def test_a_beating_sender_is_left_alone(exotel_account, settings):
    owner = builders.owner()
    clock = [0.0]
    observer = recover.Observer(lambda: clock[0])
    for beat in range(5):
        Owner.objects.filter(pk=owner.pk).update(beat=beat)
        assert observer.still() == []
        clock[0] += settings.OWNER_TIMEOUT - 1


def test_lost_wake_ups_are_made_again_from_the_tables(exotel_account):
    builders.launched(account=exotel_account, recipients=5)
    OrmQ.objects.all().delete()
    recover.sweep(recover.Observer())
    assert OrmQ.objects.count() >= 1


def test_promotional_messages_wait_for_their_hours(simulator, exotel_account):
    Account.objects.filter(pk=exotel_account.pk).update(window_opens="00:00", window_closes="00:00:01")
    template = builders.template(category="promotional", header="612345")
    campaign = builders.launched(account=Account.objects.get(pk=exotel_account.pk), template=template, recipients=2)
    dispatch.pump(exotel_account.pk)
    assert (states(campaign), fresh(campaign).state) == ({MessageState.PENDING: 2}, "running")


def test_a_batch_spoilt_by_one_message_is_halved_until_it_is_found(simulator, exotel_account):
    campaign = builders.campaign(account=exotel_account, recipients=9)
    source = campaign.imports.get()
    bad = campaign.recipients.all()[4]
    bad.cells = [bad.cells[0], "", ""]
    bad.save()
    campaign.template.body = "{#var#}{#var#}"
    campaign.template.save()
    source.template_version = campaign.template.version
    source.save()
    launch.launch(campaign, None, accept_warnings=True)
    launch.write_messages(campaign.pk)
    dispatch.pump(exotel_account.pk)
    assert states(campaign) == {MessageState.ACCEPTED: 8, MessageState.REJECTED: 1}
    assert Message.objects.get(campaign=campaign, state="rejected").code == "23000"


def test_the_same_launch_key_launches_once():
    campaign = builders.campaign(recipients=2)
    assert launch.launch(campaign, None, accept_warnings=True, key="k")
    assert not launch.launch(campaign, None, accept_warnings=True, key="k")
    with pytest.raises(control.Refused):
        launch.launch(campaign, None, accept_warnings=True, key="other")


def test_a_launch_without_recipients_is_blocked():
    with pytest.raises(launch.Blocked) as blocked:
        launch.launch(builders.campaign(), None, accept_warnings=True)
    assert "NO_RECIPIENTS" in {finding.code for finding in blocked.value.report.findings}


def test_messages_are_written_once_however_often_the_job_runs():
    campaign = builders.campaign(recipients=20)
    launch.launch(campaign, None, accept_warnings=True)
    assert launch.write_messages(campaign.pk) and launch.write_messages(campaign.pk)
    assert Message.objects.filter(campaign=campaign).count() == 20
    assert counted(campaign) == {MessageState.PENDING: 20}


def test_two_pumps_never_take_the_same_message(exotel_account):
    builders.launched(account=exotel_account, recipients=250)
    owners = [builders.owner(id=uuid.uuid4()) for _ in range(2)]
    orders = [intent.commit(owners[i % 2].pk, exotel_account.pk) for i in range(4)]
    ids = [pk for found in orders if found for pk in found[1].ids]
    assert len(ids) == len(set(ids)) == 250


@pytest.mark.parametrize(("refused", "state"), [(19, "running"), (20, "running"), (21, "stopped")])
def test_one_code_that_refuses_a_fifth_stops_the_campaign(exotel_account, refused, state):
    campaign = builders.launched(account=exotel_account, recipients=150)
    _, order = intent.commit(builders.owner().pk, exotel_account.pk)
    items = [ItemResult(i, Kind.REJECTED, code="23072") for i in range(refused)]
    items += [ItemResult(i, Kind.ACCEPTED, f"sid{i}") for i in range(refused, 100)]
    settle.settle(order, Outcome("answered", items, 207))
    assert fresh(campaign).state == state
    assert ("Header not registered (23072)" in fresh(campaign).state_reason) is (state == "stopped")
    assert states(campaign) == counted(campaign)


def test_a_file_that_begins_to_be_read_during_the_launch_rolls_it_back(monkeypatch):
    campaign = builders.campaign(recipients=2)
    checked = launch.preflight(campaign)
    campaign.imports.create(filename="more.csv", path="", state="queued")
    monkeypatch.setattr(launch, "preflight", lambda *_: checked)
    with pytest.raises(control.Refused, match="still being read"):
        launch.launch(campaign, None, accept_warnings=True)
    assert (fresh(campaign).state, fresh(campaign).snapshot) == ("draft", {})
