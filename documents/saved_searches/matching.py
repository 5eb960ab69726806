"""New documents against all saved searches of their firm: each once, many at a time.

A document is new when its words are: it was added, its text was read, it got another version, an
earlier one was restored, or it was renamed. Triggers note that (`NewlyIndexed`) in the transaction
of the change; here a batch of notes is taken and compared in one statement, whatever the number of
searches. The lexemes of the documents are looked up among those that the searches need, so that
only the searches with a chance are compared at all.

A document whose text is still to be read waits until it is. Each batch takes only what was noted
before the searches were looked at, so nothing is compared with less than all of them.

Guarantees: taking the notes and keeping what was found is one transaction: killed in the middle,
both are done again. What was found once is not found again. A search finds nothing of the time
before it was saved.

Who may see a document is not asked here: a wall may stand between now and the digest, and one may
fall (`documents.saved_searches.digests`). Not noted: that the case, the status or a tag of an older
document has changed.

Bounded: of each search, KEPT hits wait at least and twice as many at most; the newest stay.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from documents.saved_searches.criteria import bring_up_to_date
from documents.saved_searches.models import SearchDigest

logger = logging.getLogger(__name__)

BATCH = 200
KEPT = 1_000
# Who may not see a hit for so long is not told of it any more.
WAITING = timedelta(days=30)
# So long nobody is told of the same document again.
REMEMBERED = timedelta(days=400)

_MATCH = """
WITH taken AS (
    DELETE FROM documents_newlyindexed WHERE id = ANY (ARRAY(
        SELECT n.id FROM documents_newlyindexed AS n WHERE n.indexed_at < %(before)s
            AND NOT EXISTS (  -- its title alone does not show what is excluded
                SELECT FROM documents_document AS d
                WHERE d.id = n.document_id AND d.text_status = 'pending')
        ORDER BY n.id LIMIT %(batch)s FOR UPDATE OF n SKIP LOCKED))
    RETURNING document_id, indexed_at
), fresh AS MATERIALIZED (
    SELECT document_id, max(indexed_at) AS indexed_at FROM taken GROUP BY document_id
), part AS MATERIALIZED (  -- several of a very long document; read from their place once
    SELECT s.document_id, s.organization_id, s.segment, s.vector || ''::tsvector AS vector
    FROM fresh JOIN documents_documentsearch AS s USING (document_id)
), watch AS MATERIALIZED (
    SELECT w.*, w.words::tsquery AS wanted, s.organization_id, s.created_at
    FROM documents_savedsearch AS s
    JOIN documents_searchwatch AS w ON w.search_id = s.id
    JOIN users_user AS u ON u.id = s.owner_id
    WHERE s.organization_id IN (SELECT organization_id FROM part) AND s.deleted_at IS NULL
        AND s.digest <> 'never' AND u.deleted_at IS NULL AND u.status = 'active'
), anchor AS MATERIALIZED (
    SELECT w.organization_id, lexeme, array_agg(w.search_id) AS searches
    FROM watch AS w CROSS JOIN LATERAL unnest(w.anchors) AS a (lexeme)
    GROUP BY w.organization_id, lexeme
), pair AS MATERIALIZED (
    SELECT DISTINCT held.document_id, search_id
    FROM (
        SELECT DISTINCT document_id, organization_id, lexeme
        FROM part CROSS JOIN LATERAL unnest(tsvector_to_array(vector)) AS l (lexeme)
    ) AS held
    JOIN anchor USING (organization_id, lexeme)
    CROSS JOIN LATERAL unnest(anchor.searches) AS of_anchor (search_id)
    UNION
    SELECT part.document_id, w.search_id
    FROM watch AS w JOIN part USING (organization_id) WHERE w.anchors IS NULL
), document AS MATERIALIZED (
    SELECT d.id, d.type, d.status, d.tags::text[] AS tags, c.court, c.judge, c.filed_on,
        of_case.names AS case_names, fresh.indexed_at, part.vector, part.segment
    FROM fresh JOIN documents_document AS d ON d.id = fresh.document_id
    JOIN (SELECT DISTINCT ON (document_id) * FROM part ORDER BY document_id, segment) AS part
        ON part.document_id = d.id
    LEFT JOIN cases_case AS c ON c.id = d.case_id
    LEFT JOIN cases_casesearch AS of_case ON of_case.case_id = c.id
), met AS MATERIALIZED (
    SELECT w.search_id, d.id AS document_id
    FROM pair JOIN watch AS w USING (search_id) JOIN document AS d ON d.id = pair.document_id
    WHERE d.indexed_at >= w.created_at
        AND (w.types IS NULL OR d.type = ANY (w.types))
        AND (w.statuses IS NULL OR d.status = ANY (w.statuses))
        AND (w.tags IS NULL OR d.tags @> w.tags)
        AND (w.cases IS NULL OR d.case_names ILIKE ALL (w.cases))
        AND (w.courts IS NULL OR d.court ILIKE ALL (w.courts))
        AND (w.judges IS NULL OR d.judge ILIKE ALL (w.judges))
        AND (w.filed_from IS NULL OR d.filed_on >= w.filed_from)
        AND (w.filed_to IS NULL OR d.filed_on <= w.filed_to)
        AND CASE WHEN w.wanted IS NULL THEN true WHEN d.segment = 0 THEN d.vector @@ w.wanted
            ELSE documents_holds(d.id, w.clauses::tsquery[], w.excluded::tsquery) END
        AND CASE WHEN w.phrases = '{}' AND w.excluded_phrases IS NULL THEN true
            ELSE documents_holds(d.id, w.phrases::tsquery[], w.excluded_phrases::tsquery) END
), kept AS (
    INSERT INTO documents_searchmatch (search_id, document_id, found_at)
    SELECT search_id, document_id, now() FROM met ORDER BY document_id
    ON CONFLICT (search_id, document_id) DO NOTHING RETURNING search_id
), counted AS (
    UPDATE documents_searchwatch AS w SET waiting = w.waiting + more.hits
    FROM (SELECT search_id, count(*) AS hits FROM kept GROUP BY search_id) AS more
    WHERE w.search_id = more.search_id
)
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM kept)
"""
# Too many wait for somebody: the oldest are forgotten, so many at once that it is done seldom.
_FORGET = """
WITH full_watch AS (
    UPDATE documents_searchwatch SET waiting = %(kept)s WHERE waiting > 2 * %(kept)s
    RETURNING search_id
)
DELETE FROM documents_searchmatch AS m USING full_watch AS f
WHERE m.search_id = f.search_id AND m.digest_id IS NULL AND m.id < (
    SELECT min(id) FROM (
        SELECT id FROM documents_searchmatch AS newest
        WHERE newest.search_id = f.search_id AND newest.digest_id IS NULL
        ORDER BY id DESC LIMIT %(kept)s) AS stays)
"""

_EXPIRE = """
WITH gone AS (
    DELETE FROM documents_searchmatch WHERE digest_id IS NULL AND found_at < %s RETURNING search_id
)
UPDATE documents_searchwatch AS w SET waiting = greatest(0, w.waiting - fewer.hits)
FROM (SELECT search_id, count(*) AS hits FROM gone GROUP BY search_id) AS fewer
WHERE w.search_id = fewer.search_id
"""


def match_new_documents() -> int:
    """Compares what is new, batch by batch; how many hits were found."""
    found = 0
    while True:
        before = _now()
        if failed := bring_up_to_date():
            logger.warning("%d saved searches cannot be searched any more", len(failed))
        taken, hits = _match_batch(before)
        found += hits
        if taken == 0:
            return found


def _now() -> datetime:
    """By the clock that the notes are dated with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((now,),) = cursor.fetchall()
    return now  # type: ignore[no-any-return]


def _match_batch(before: datetime) -> tuple[int, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        # Two at once would count the hits of the same searches in different orders.
        cursor.execute(
            "SET LOCAL statement_timeout = '5min';"
            "SELECT pg_advisory_xact_lock(hashtextextended('lexiflow.saved_searches', 0))"
        )
        cursor.execute(_MATCH, {"batch": BATCH, "before": before})
        ((taken, hits),) = cursor.fetchall()
        if hits:
            cursor.execute(_FORGET, {"kept": KEPT})
    return taken, hits


def forget_old_matches() -> None:
    """Deletes what nobody was told of for WAITING, and what they were told of long ago."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, [now - WAITING])
    SearchDigest.objects.filter(made_at__lt=now - REMEMBERED).delete()
