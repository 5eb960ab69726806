"""What keeps the search of cases right: `cases_index()`, the triggers that call it, how it is asked.

Guarantees, whatever writes, in the transaction of the change: each case has one row in
`cases_casesearch`, made of the case, its client, its parties and its docket as they are now;
deleted parties and docket entries are out of it. A change of status touches none of this.

A bulk load may say `SET LOCAL lexiflow.defer_index = 'on'`, write all its rows, and call
`cases_index(ids)` once for them, in the same transaction.

Not indexed: sealed and restricted docket entries, because the row has no readers of its own; of a
docket, more than the newest 400 entries and 500 characters of each; of a case, more than 200
parties; of a description, more than 20,000 characters, and of the metadata, more than 10,000. One
vector holds that much in any case.
"""

from django.db import migrations

INDEX = """
CREATE FUNCTION cases_index(case_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    -- In `names` nothing that is looked for contains a line break: no match reaches from one into
    -- the next. In the vector, stop words take positions but leave nothing behind: `gap` does that.
    -- Two changes of one case at once: the second sees what the first has written.
    PERFORM FROM cases_case WHERE id = ANY (case_ids) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO cases_casesearch AS s (case_id, organization_id, names, vector)
    SELECT c.id, c.organization_id,
        concat_ws(E' \\n ', lexiflow_name(c.case_number), lexiflow_name(c.title),
            lexiflow_name(client.name), party.lines),
        setweight(to_tsvector('lexiflow', lexiflow_normalize(
            concat_ws(' ', c.case_number, gap, c.title, gap))), 'A')
        || setweight(to_tsvector('lexiflow', lexiflow_normalize(
            concat_ws(' ', gap, client.name, gap, party.names))), 'B')
        || setweight(to_tsvector('lexiflow', lexiflow_normalize(
            concat_ws(' ', gap, left(c.description, 20000), gap, c.court, gap, c.jurisdiction, gap,
                c.judge, gap, c.practice_area, gap, c.cause_of_action, gap, c.nature_of_suit, gap,
                c.originating_case_number, gap, party.counsel, gap, metadata.texts))), 'C')
        || to_tsvector('lexiflow', lexiflow_normalize(gap || ' ' || coalesce(docket.lines, '')))
    FROM cases_case c
    LEFT JOIN cases_client client ON client.id = c.client_id
    CROSS JOIN (VALUES ('the the the the')) AS between_texts (gap)
    CROSS JOIN LATERAL (
        SELECT string_agg(p.name, ' ' || gap || ' ' ORDER BY p.id),
            left(string_agg(lexiflow_name(p.name), E' \\n ' ORDER BY p.id), 4000),
            string_agg(p.counsel_name || ' ' || p.counsel_firm, ' ' || gap || ' ' ORDER BY p.id)
        FROM (SELECT * FROM cases_party WHERE case_id = c.id AND deleted_at IS NULL
            ORDER BY id LIMIT 200) AS p
    ) AS party (names, lines, counsel)
    CROSS JOIN LATERAL (
        SELECT string_agg(left(e.description, 500), ' ' || gap || ' ' ORDER BY e.sequence DESC)
        FROM (SELECT * FROM cases_docketentry WHERE case_id = c.id AND deleted_at IS NULL
            AND NOT is_sealed AND NOT is_restricted ORDER BY sequence DESC LIMIT 400) AS e
    ) AS docket (lines)
    CROSS JOIN LATERAL (
        -- Citations and whatever else an import has kept there.
        SELECT left(string_agg(m.value #>> '{}', ' ' || gap || ' ' ORDER BY m.key), 4000)
        FROM jsonb_each(CASE jsonb_typeof(c.metadata) WHEN 'object' THEN c.metadata
            ELSE '{}' END) AS m WHERE jsonb_typeof(m.value) = 'string'
    ) AS metadata (texts)
    WHERE c.id = ANY (case_ids)
    ON CONFLICT (case_id) DO UPDATE SET names = excluded.names, vector = excluded.vector
    WHERE (s.names, s.vector) IS DISTINCT FROM (excluded.names, excluded.vector);
END $body$;
"""

_TABLES = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
_UNLESS_DEFERRED = "WHEN (coalesce(current_setting('lexiflow.defer_index', true), '') <> 'on')"


def _trigger(table: str, operation: str, changed: str) -> str:
    """changed: a query for the identifiers of the cases that the statement has changed."""
    name = f"{table}_search_{operation.lower()}"
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    changed uuid[] := ARRAY({changed});
BEGIN
    IF cardinality(changed) > 0 THEN PERFORM cases_index(changed); END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER search_{operation.lower()} AFTER {operation} ON {table}
REFERENCING {_TABLES[operation]} FOR EACH STATEMENT
{_UNLESS_DEFERRED} EXECUTE FUNCTION {name}();
"""


def _changed(key: str, columns: str) -> str:
    """The cases of rows in which one of `columns` has changed; the old case as well as the new."""
    after = ", ".join(f"n.{column}" for column in columns.split())
    before = ", ".join(f"o.{column}" for column in columns.split())
    return f"""
        SELECT DISTINCT changed_case FROM new_rows n JOIN old_rows o USING (id)
        CROSS JOIN LATERAL (VALUES (n.{key}), (o.{key})) AS both_cases (changed_case)
        WHERE ({after}) IS DISTINCT FROM ({before})"""


CASE_COLUMNS = (
    "case_number title description court jurisdiction judge practice_area cause_of_action"
    " nature_of_suit originating_case_number client_id metadata"
)
PARTY_COLUMNS = "case_id name counsel_name counsel_firm deleted_at"
DOCKET_COLUMNS = "case_id description sequence is_sealed is_restricted deleted_at"

TRIGGERS = [
    _trigger("cases_case", "INSERT", "SELECT id FROM new_rows"),
    _trigger("cases_case", "UPDATE", _changed("id", CASE_COLUMNS)),
    _trigger("cases_party", "INSERT", "SELECT DISTINCT case_id FROM new_rows"),
    _trigger("cases_party", "UPDATE", _changed("case_id", PARTY_COLUMNS)),
    _trigger("cases_party", "DELETE", "SELECT DISTINCT case_id FROM old_rows"),
    _trigger("cases_docketentry", "INSERT", "SELECT DISTINCT case_id FROM new_rows"),
    _trigger("cases_docketentry", "UPDATE", _changed("case_id", DOCKET_COLUMNS)),
    _trigger("cases_docketentry", "DELETE", "SELECT DISTINCT case_id FROM old_rows"),
    _trigger(
        "cases_client",
        "UPDATE",
        "SELECT c.id FROM new_rows n JOIN old_rows o USING (id)"
        " JOIN cases_case c ON c.client_id = n.id WHERE n.name <> o.name",
    ),
    """
CREATE FUNCTION cases_case_search_delete() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    DELETE FROM cases_casesearch WHERE case_id IN (SELECT id FROM old_rows);
    RETURN NULL;
END $body$;
CREATE TRIGGER search_delete AFTER DELETE ON cases_case
REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION cases_case_search_delete();
""",
]

MATCHING = """
-- See documents_matching. A case has one vector, and its title's words are not kept apart.
CREATE FUNCTION cases_matching(
    query tsquery, clauses tsquery[], excluded tsquery, organizations uuid[],
    OUT id uuid, OUT in_title boolean)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
AS $body$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.case_id, false FROM cases_casesearch s WHERE s.vector @@ $1'
        || CASE WHEN organizations IS NULL THEN ''
            WHEN cardinality(organizations) = 1 THEN ' AND s.organization_id = $2[1]'
            ELSE ' AND s.organization_id = ANY ($2)' END
    USING query, organizations;
END $body$;

CREATE FUNCTION cases_holds(wanted uuid, required tsquery[], excluded tsquery) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $body$
    SELECT EXISTS (
        SELECT FROM cases_casesearch s WHERE s.case_id = wanted
            AND (excluded IS NULL OR NOT s.vector @@ excluded)
            AND NOT EXISTS (SELECT FROM unnest(required) AS clause WHERE NOT s.vector @@ clause))
$body$;

CREATE FUNCTION cases_named(
    literal text, organizations uuid[], OUT id uuid, OUT relevance float8)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
AS $body$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.case_id, 0.5 + similarity(s.names, $1) / 4'
        ' + CASE WHEN '' '' || s.names || '' '' ILIKE ''% '' || $3 || '' %'' THEN 0.2 ELSE 0 END'
        ' FROM cases_casesearch s WHERE s.names ILIKE ''%'' || $3 || ''%'''
        || CASE WHEN organizations IS NULL THEN '' ELSE ' AND s.organization_id = ANY ($2)' END
    USING literal, organizations, lexiflow_like_pattern(literal);
END $body$;

-- See documents_completing.
CREATE FUNCTION cases_completing(
    literal text, organizations uuid[], OUT id uuid, OUT relevance float8)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
AS $body$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.case_id, similarity(s.names, $1) / 4'
        ' + CASE WHEN s.names ILIKE $3 || ''%'' THEN 0.7 ELSE 0.5 END'
        ' FROM cases_casesearch s WHERE (s.names ILIKE $3 || ''%'' OR s.names ILIKE ''% '' || $3 || ''%'')'
        || CASE WHEN organizations IS NULL THEN '' ELSE ' AND s.organization_id = ANY ($2)' END
        || ' LIMIT 1000'
    USING literal, organizations, lexiflow_like_pattern(literal);
END $body$;

CREATE FUNCTION cases_alike(
    literal text, organizations uuid[], OUT id uuid, OUT relevance float8)
RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20 SET enable_seqscan = off
    SET pg_trgm.word_similarity_threshold = 0.5
AS $body$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT s.case_id, (word_similarity($1, s.names) / 2.01)::float8'
        ' FROM cases_casesearch s WHERE s.names %> $1'
        || CASE WHEN organizations IS NULL THEN '' ELSE ' AND s.organization_id = ANY ($2)' END
    USING literal, organizations;
END $body$;
"""

REVERSE = """
DROP FUNCTION cases_alike(text, uuid[]);
DROP FUNCTION cases_completing(text, uuid[]);
DROP FUNCTION cases_named(text, uuid[]);
DROP FUNCTION cases_holds(uuid, tsquery[], tsquery);
DROP FUNCTION cases_matching(tsquery, tsquery[], tsquery, uuid[]);
DROP FUNCTION cases_case_search_insert() CASCADE;
DROP FUNCTION cases_case_search_update() CASCADE;
DROP FUNCTION cases_case_search_delete() CASCADE;
DROP FUNCTION cases_party_search_insert() CASCADE;
DROP FUNCTION cases_party_search_update() CASCADE;
DROP FUNCTION cases_party_search_delete() CASCADE;
DROP FUNCTION cases_docketentry_search_insert() CASCADE;
DROP FUNCTION cases_docketentry_search_update() CASCADE;
DROP FUNCTION cases_docketentry_search_delete() CASCADE;
DROP FUNCTION cases_client_search_update() CASCADE;
DROP FUNCTION cases_index(uuid[]);
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_initial"), ("lexiflow", "0003_search")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE cases_casesearch ALTER COLUMN vector SET STORAGE EXTERNAL",
            "ALTER TABLE cases_casesearch ALTER COLUMN vector SET STORAGE EXTENDED",
        ),
        migrations.RunSQL([INDEX, *TRIGGERS, MATCHING], REVERSE),
        migrations.RunSQL(
            "SELECT cases_index(ARRAY(SELECT id FROM cases_case))", migrations.RunSQL.noop
        ),
    ]
