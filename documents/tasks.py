"""Background work, run by `manage.py procrastinate worker`.

Guarantee: a version that waits for its text gets it, or a reason why there is none, however often a
worker is killed half-way. A fault of the file is an outcome and is not tried again; a fault of
the database or the storage is, after 4 s, 16 s and so on, for about an hour and a half.
"""

import logging

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from cases.counting import CASES
from documents.choices import TextStatus
from documents.counting import DOCUMENTS
from documents.models import DocumentVersion
from documents.saved_searches.digests import SOURCE as DIGESTS_TASK
from documents.saved_searches.digests import make_digests, send_digests
from documents.saved_searches.matching import forget_old_matches, match_new_documents
from documents.search_index import INDEXED, refresh_search_words
from documents.services import EXTRACTION_QUEUE, EXTRACTION_TASK
from documents.version_text import Outcome, read_text, save_outcome
from lexiflow.counting.upkeep import add_up
from lexiflow.db.transactions import write_transaction
from lexiflow.search.maintenance import renew
from users.tasks import UPKEEP_QUEUE

logger = logging.getLogger(__name__)

MAX_RETRIES = 6
GIVEN_UP = "The file or the database could not be reached; `extract_text --failed` tries again."
_SOURCE = f"task: {EXTRACTION_TASK}"


class GivenUpError(Exception):
    """The job was begun too often without ever ending."""


@app.task(
    name=EXTRACTION_TASK,
    queue=EXTRACTION_QUEUE,
    retry=RetryStrategy(max_attempts=MAX_RETRIES, exponential_wait=4),
    pass_context=True,
)
def extract_text(context: JobContext, version_id: str) -> None:
    """Extracts the text of a version, unless it has been done or the version is gone."""
    version = DocumentVersion.objects.filter(pk=version_id, text_status=TextStatus.PENDING).first()
    if version is None:
        return
    try:
        # A job of a worker that was killed counts as an attempt too: a file that kills the worker
        # itself must not do so for ever.
        if context.job.attempts > MAX_RETRIES:
            raise GivenUpError
        outcome = read_text(version.storage_name, version.media_type)
        with write_transaction(None, source=_SOURCE):
            save_outcome(version.pk, outcome)
    except Exception:
        if context.job.attempts >= MAX_RETRIES:
            with write_transaction(None, source=_SOURCE):
                save_outcome(version.pk, Outcome(status=TextStatus.FAILED, reason=GIVEN_UP))
        raise


@app.periodic(cron="17 3 * * *")
@app.task(name="documents.refresh_vocabulary", queue=EXTRACTION_QUEUE, queueing_lock="vocabulary")
def refresh_search_vocabulary(timestamp: int) -> None:
    """Counts the words that hits are ranked and misspelt words corrected by, every night."""
    refresh_search_words()


@app.periodic(cron="*/10 * * * *")
@app.task(name="documents.reindex_search", queue=EXTRACTION_QUEUE, queueing_lock="reindex_search")
def reindex_search(timestamp: int) -> None:
    """After an upgrade that reads texts differently: indexes the old rows again, in small steps."""
    for indexed in INDEXED:
        for count in renew(indexed):
            logger.info("indexed %d rows of %s again", count, indexed.table)


@app.periodic(cron="* * * * *")
@app.task(name="documents.retry_stalled", queue=EXTRACTION_QUEUE, queueing_lock="retry_stalled")
async def retry_stalled(timestamp: int) -> None:
    """Puts the jobs of workers that were killed back into the queue, once a minute."""
    for job in await app.job_manager.get_stalled_jobs(queue=EXTRACTION_QUEUE):
        logger.warning("job %s of a worker that is gone is tried again", job.id)
        await app.job_manager.retry_job(job)


@app.periodic(cron="* * * * *")
@app.task(name="documents.match_saved", queue=UPKEEP_QUEUE, queueing_lock="match_saved_searches")
def match_saved_searches(timestamp: int) -> None:
    """Compares new documents with the saved searches, once a minute."""
    match_new_documents()


@app.periodic(cron="*/10 * * * *")
@app.task(
    name=DIGESTS_TASK.removeprefix("task: "), queue=UPKEEP_QUEUE, queueing_lock="search_digests"
)
def send_search_digests(timestamp: int) -> None:
    """Tells people of new documents that their searches have found, every ten minutes."""
    make_digests()
    send_digests()


@app.periodic(cron="31 3 * * *")
@app.task(name="documents.forget_matches", queue=UPKEEP_QUEUE, queueing_lock="forget_matches")
def forget_matches(timestamp: int) -> None:
    """Deletes what saved searches have found long ago, every night."""
    forget_old_matches()


@app.periodic(cron="* * * * *")
@app.task(name="documents.add_up_counters", queue=UPKEEP_QUEUE, queueing_lock="add_up_counters")
def add_up_counters(timestamp: int) -> None:
    """Keeps the counters of cases and documents few, once a minute."""
    for tally in (CASES, DOCUMENTS):
        add_up(tally)
