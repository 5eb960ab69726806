"""Upkeep of the audit trail and of sign-ins, run by `manage.py procrastinate worker`."""

import logging

from procrastinate.contrib.django import app

from users.answered_requests import prune_answers
from users.sealing import SealedElsewhereError, seal_pending
from users.services import prune_sign_ins

logger = logging.getLogger(__name__)

UPKEEP_QUEUE = "upkeep"


@app.periodic(cron="41 3 * * *")
@app.task(name="users.prune_sign_ins", queue=UPKEEP_QUEUE, queueing_lock="prune_sign_ins")
def prune_ended_sign_ins(timestamp: int) -> None:
    """Deletes sign-ins that ended a month ago, every night."""
    prune_sign_ins()


@app.periodic(cron="13 * * * *")
@app.task(name="users.prune_answers", queue=UPKEEP_QUEUE, queueing_lock="prune_answers")
def prune_old_answers(timestamp: int) -> None:
    """Deletes answers that are repeated no longer, every hour."""
    prune_answers()


@app.periodic(cron="* * * * *")
@app.task(name="users.seal_audit", queue=UPKEEP_QUEUE, queueing_lock="seal_audit")
def seal_audit(timestamp: int) -> None:
    """Seals the events of the last minute. The log is where the seals are kept a second time."""
    try:
        for seal in seal_pending():
            logger.info("audit seal %s of %d events", seal, seal.count)
    except SealedElsewhereError:
        pass
