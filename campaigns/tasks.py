"""Jobs of the background cluster. Each is a doorbell: it works for about 20 s, says how much it did, and rings again.

A cluster that is about to end begins none of them: recovery rings for what waits when the next one starts.
"""

from campaigns import audience, jobs
from campaigns.audience import upkeep
from campaigns.hooks import courier, desk
from campaigns.insight import mailing, squash, watch
from campaigns.management import keeper
from campaigns.sending import control, dispatch, launch, reconcile


def pump(account_id: int) -> dict[str, int]:
    with keeper.answering() as wanted:
        return dispatch.pump(account_id) if wanted else {"requests": 0}


def poll(account_id: int) -> dict[str, int]:
    with keeper.answering() as wanted:
        return reconcile.poll(account_id) if wanted else {"asked": 0, "told": 0}


def run_import(import_id: int) -> bool:
    with keeper.answering() as wanted:
        done = not wanted or audience.run(import_id)
    if not done:
        jobs.enqueue(jobs.IMPORT, import_id)
    return done


def keep_audience(audience_id: int) -> bool:
    with keeper.answering() as wanted:
        done = not wanted or upkeep.run(audience_id)
    if not done:
        jobs.enqueue(jobs.AUDIENCE, audience_id)
    return done


def write_messages(campaign_id: int) -> bool:
    with keeper.answering() as wanted:
        done = not wanted or launch.write_messages(campaign_id)
    if not done:
        jobs.enqueue(jobs.LAUNCH, campaign_id)
    return done


def wind_up(campaign_id: int) -> int:
    cancelled = control.wind_up(campaign_id)
    if cancelled:
        jobs.enqueue(jobs.WIND_UP, campaign_id)
    return cancelled


def deliver() -> dict[str, int]:
    with keeper.answering() as wanted:
        return courier.run() if wanted else {"tried": 0}


def mail_alerts() -> dict[str, int]:
    with keeper.answering() as wanted:
        return mailing.send() if wanted else {"sent": 0, "failed": 0}


def tick() -> int:
    keeper.answer()
    desk.remove_old()
    watch.safely()
    return squash.squash()
