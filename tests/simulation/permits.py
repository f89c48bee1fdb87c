"""What may be sent just now, as operators, the provider and the clock have it: every intent is held against this."""

from datetime import datetime
from typing import NamedTuple

from campaigns.models.rowwise import senders
from campaigns.text.window import IST
from tests.simulation.provider import STOPS, Breach

OPENS, CLOSES = 10, 21
WAITS = frozenset({"throttled", "throttled_503", "refused"})


def wait_asked(answer) -> float:
    """Seconds for which nobody may send after this answer, at least."""
    asked = "" if isinstance(answer, Exception) else answer.headers.get("retry-after", "")
    return min(max(float(asked), 1.0), 900.0) if asked.isdigit() else 1.0


class Moment(NamedTuple):
    """When an outcome began to be stored; by this is seen what others did meanwhile."""

    now: float
    jumps: int
    resumed: dict[int, int]


class Permits:
    def __init__(self, campaigns, messages):
        self.campaign_ids = [campaign.pk for campaign in campaigns]
        self.promotional = {c.pk for c in campaigns if c.snapshot["category"] == "promotional"}
        self.due = {pk: message.due for pk, message in messages.items()}
        own = {c.pk: senders(c.snapshot) for c in campaigns}
        self.senders = {pk: own[message.campaign_id][message.sender_no] for pk, message in messages.items()}
        self.numbers = {pk: message.number for pk, message in messages.items()}
        self.held: dict[int, str] = {}  # campaigns that may not send, and why
        self.resumed: dict[int, int] = {}  # how often
        self.opted_out: set[int] = set()
        self.buried = set()  # owners that recovery holds for dead
        self.quiet_until, self.jumps = 0.0, 0

    def check(self, order, owner_id, now, wall):
        """An intent has committed: was it allowed?"""
        campaign_id = order.attempt.campaign_id
        if len(set(order.numbers)) != len(order.ids):
            raise Breach("one request carries two messages to one number")
        if campaign_id in self.held:
            raise Breach(f"an intent committed although the campaign is {self.held[campaign_id]}")
        if barred := {self.numbers[pk] for pk in order.ids} & self.opted_out:
            raise Breach(f"an intent carries numbers that had opted out: {barred}")
        if early := [pk for pk in order.ids if self.due[pk] > wall]:
            raise Breach(f"an intent carries messages before their hour: {early}")
        if {self.senders[pk] for pk in order.ids} != {order.batch.sender}:
            raise Breach("an intent carries messages under another header than their own")
        if now < self.quiet_until:
            raise Breach("an intent committed while the provider had asked us to wait")
        if campaign_id in self.promotional and not OPENS <= datetime.fromtimestamp(wall, IST).hour < CLOSES:
            raise Breach("an intent committed outside the promotional hours")
        if owner_id in self.buried:
            raise Breach("a process that was declared dead committed an intent")

    def moment(self, now):
        return Moment(now, self.jumps, dict(self.resumed))

    def told(self, campaign_id, fate, answer, since: Moment):
        """An outcome has been stored, and all must heed it, unless an operator has pressed resume since."""
        if fate in STOPS:
            for stopped in [campaign_id] if fate == "wrong_header" else self.campaign_ids:
                if self.resumed.get(stopped) == since.resumed.get(stopped):
                    self.held.setdefault(stopped, "stopped")
        if fate in WAITS and self.jumps == since.jumps:
            self.quiet_until = max(self.quiet_until, since.now + wait_asked(answer))

    def operated(self, deed, campaign_id):
        """A button was pressed and not refused."""
        if self.held.get(campaign_id) == "cancelled":
            raise Breach(f"a cancelled campaign let an operator {deed} it")
        if deed == "resume":
            self.held.pop(campaign_id, None)
            self.resumed[campaign_id] = self.resumed.get(campaign_id, 0) + 1
        else:
            self.held[campaign_id] = {"pause": "paused", "cancel": "cancelled"}[deed]

    def clock_jumped(self):
        """A wait that was stored by another clock may be cut short: it is forgotten when it would last too long."""
        self.quiet_until, self.jumps = 0.0, self.jumps + 1
