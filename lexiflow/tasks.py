"""Bulk changes in the background, run by `manage.py procrastinate worker --queues bulk`.

Guarantee: a job whose worker was killed is taken up by another, where its record says it was.
"""

import logging

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from lexiflow.bulk.jobs import AWAY, BULK_QUEUE, BULK_TASK, give_up, run_job
from lexiflow.bulk.retention import prune_rows

logger = logging.getLogger(__name__)

MAX_RETRIES = 6


@app.task(
    name=BULK_TASK,
    queue=BULK_QUEUE,
    retry=RetryStrategy(max_attempts=MAX_RETRIES, exponential_wait=4, retry_exceptions=AWAY),
    pass_context=True,
)
def change_in_bulk(context: JobContext, change_id: str) -> None:
    """Makes one bulk change. Tried again while the database is away, for about an hour and a half;
    a job that kills its worker again and again is given up as well.
    """
    if context.job.attempts > MAX_RETRIES:
        give_up(change_id)
        return
    try:
        run_job(change_id)
    except AWAY:
        if context.job.attempts >= MAX_RETRIES:
            give_up(change_id)
        raise


@app.periodic(cron="* * * * *")
@app.task(name="lexiflow.retry_stalled_bulk", queue=BULK_QUEUE, queueing_lock="retry_stalled_bulk")
async def retry_stalled(timestamp: int) -> None:
    """Puts the jobs of workers that were killed back into the queue, once a minute."""
    for job in await app.job_manager.get_stalled_jobs(queue=BULK_QUEUE):
        logger.warning("bulk job %s of a worker that is gone is taken up again", job.id)
        await app.job_manager.retry_job(job)


@app.periodic(cron="23 3 * * *")
@app.task(name="lexiflow.prune_bulk", queue=BULK_QUEUE, queueing_lock="prune_bulk")
def prune_old_rows(timestamp: int) -> None:
    """Deletes what became of the rows of old bulk changes, every night."""
    prune_rows()
