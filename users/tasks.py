"""Upkeep, run by `manage.py procrastinate worker`."""

from procrastinate.contrib.django import app

from users.services import prune_sign_ins

UPKEEP_QUEUE = "upkeep"


@app.periodic(cron="41 3 * * *")
@app.task(name="users.prune_sign_ins", queue=UPKEEP_QUEUE, queueing_lock="prune_sign_ins")
def prune_ended_sign_ins(timestamp: int) -> None:
    """Deletes sign-ins that ended a month ago, every night."""
    prune_sign_ins()
