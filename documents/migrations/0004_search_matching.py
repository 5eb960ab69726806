"""How documents are found: five functions that `lexiflow.search.index` calls.

They see every document of the named organizations (all, for null); who may see what is decided by
the query around them. Sequential scans are off: a vector is read from another place than its row,
which the planner does not price.
"""

from django.db import migrations

MATCHING = """
-- Documents with all words of `query`. The words of one that has several vectors need not be in the
-- same one: each of `clauses` must be in some, and nothing of `excluded` in any.
CREATE FUNCTION documents_matching(
    query tsquery, clauses tsquery[], excluded tsquery, organizations uuid[],
    OUT id uuid, OUT in_title boolean)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
AS $body$
DECLARE
    firm CONSTANT text := CASE WHEN organizations IS NULL THEN 'true'
        WHEN cardinality(organizations) = 1 THEN 's.organization_id = $4[1]'
        ELSE 's.organization_id = ANY ($4)' END;
BEGIN
    RETURN QUERY EXECUTE format($sql$
        SELECT s.document_id, s.title_vector @@ $1
        FROM documents_documentsearch s
        WHERE %1$s AND s.vector @@ $1 AND s.segment = 0
        UNION ALL
        SELECT s.document_id, false
        FROM unnest($2) WITH ORDINALITY AS clause (query, number)
        JOIN documents_documentsearch s ON s.vector @@ clause.query
        WHERE %1$s AND s.segment > 0 AND NOT EXISTS (
            SELECT FROM documents_documentsearch other
            WHERE other.document_id = s.document_id AND other.vector @@ $3)
        GROUP BY s.document_id HAVING count(DISTINCT clause.number) = cardinality($2)
        $sql$, firm)
    USING query, clauses, excluded, organizations;
END $body$;

-- Phrases, checked where they are complete: in the document's vectors and in those of its pages.
CREATE FUNCTION documents_contains(wanted uuid, query tsquery) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $body$
    SELECT EXISTS (
        SELECT FROM documents_documentsearch s
        WHERE s.document_id = wanted AND (s.vector @@ query OR s.title_vector @@ query)
    ) OR EXISTS (
        SELECT FROM documents_documentpage p
        WHERE p.document_id = wanted AND p.vector IS NOT NULL AND p.vector @@ query
    )
$body$;

CREATE FUNCTION documents_holds(wanted uuid, required tsquery[], excluded tsquery) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
DECLARE
    query tsquery;
BEGIN
    FOREACH query IN ARRAY required LOOP
        IF NOT documents_contains(wanted, query) THEN RETURN false; END IF;
    END LOOP;
    RETURN excluded IS NULL OR NOT documents_contains(wanted, excluded);
END $body$;
"""

NAMES = """
-- Documents whose names contain `literal`; as whole words first, then the closest.
CREATE FUNCTION documents_named(
    literal text, organizations uuid[], OUT id uuid, OUT relevance float8)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
AS $body$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.document_id, 0.5 + similarity(s.names, $1) / 4'
        ' + CASE WHEN '' '' || s.names || '' '' ILIKE ''% '' || $3 || '' %'' THEN 0.2 ELSE 0 END'
        ' FROM documents_documentsearch s WHERE s.names ILIKE ''%'' || $3 || ''%'''
        || CASE WHEN organizations IS NULL THEN '' ELSE ' AND s.organization_id = ANY ($2)' END
    USING literal, organizations, lexiflow_like_pattern(literal);
END $body$;

-- Documents with a name that begins with `literal`, or has a word that does: any 1,000 of them.
CREATE FUNCTION documents_completing(
    literal text, organizations uuid[], OUT id uuid, OUT relevance float8)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
AS $body$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.document_id, similarity(s.names, $1) / 4'
        ' + CASE WHEN s.names ILIKE $3 || ''%'' THEN 0.7 ELSE 0.5 END'
        ' FROM documents_documentsearch s WHERE (s.names ILIKE $3 || ''%'' OR s.names ILIKE ''% '' || $3 || ''%'')'
        || CASE WHEN organizations IS NULL THEN '' ELSE ' AND s.organization_id = ANY ($2)' END
        || ' LIMIT 1000'
    USING literal, organizations, lexiflow_like_pattern(literal);
END $body$;

-- Documents whose names have a part that looks like `literal`.
CREATE FUNCTION documents_alike(
    literal text, organizations uuid[], OUT id uuid, OUT relevance float8)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
    SET pg_trgm.word_similarity_threshold = 0.5
AS $body$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.document_id, (word_similarity($1, s.names) / 2.01)::float8'
        ' FROM documents_documentsearch s WHERE s.names %> $1'
        || CASE WHEN organizations IS NULL THEN '' ELSE ' AND s.organization_id = ANY ($2)' END
    USING literal, organizations;
END $body$;
"""

REVERSE = """
DROP FUNCTION documents_alike(text, uuid[]);
DROP FUNCTION documents_completing(text, uuid[]);
DROP FUNCTION documents_named(text, uuid[]);
DROP FUNCTION documents_holds(uuid, tsquery[], tsquery);
DROP FUNCTION documents_contains(uuid, tsquery);
DROP FUNCTION documents_matching(tsquery, tsquery[], tsquery, uuid[]);
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_search_index")]
    operations = [migrations.RunSQL([MATCHING, NAMES], REVERSE)]
