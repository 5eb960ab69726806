"""What keeps the search tables right: `documents_index()` and the triggers that call it.

Guarantees, whatever writes (API, admin, command, COPY, plain SQL), in the transaction of the change:

- each document has one row in `documents_documentsearch`, segment 0; or, when its words do not fit
  into one vector (1,048,575 bytes), rows with the segments 1, 2, …;
- of the current version, pages have a vector if there are several. A single page has none: the
  vector of its document serves. Pages of older versions have none.
- `vector` holds the text first, then the title and the rest, after a gap no phrase can bridge.

A bulk load says `SET LOCAL lexiflow.defer_index = 'on'`, writes all its rows, and calls
`documents_index(ids)` once for them, in the same transaction. Who forgets the call has documents
that nobody finds.

A change of status, tags or access level touches none of this. Not indexed: what lies beyond the
first 20,000 characters of a description.
"""

from django.db import migrations

VECTORS = """
-- Stop words take positions but leave nothing behind: a gap that no phrase can bridge.
CREATE FUNCTION documents_title_vector(title text, description text, file_name text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
DECLARE gap CONSTANT text := 'the the the the ';
BEGIN
    RETURN setweight(to_tsvector('lexiflow', gap || lexiflow_normalize(title)), 'A')
        || setweight(to_tsvector('lexiflow', gap || lexiflow_normalize(file_name) || ' ' || gap
            || lexiflow_normalize(left(description, 20000))), 'B');
END $body$;

CREATE FUNCTION documents_names(title text, description text, file_name text)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
BEGIN
    -- Nothing that is looked for contains a line break: no match reaches from one into the next.
    RETURN concat_ws(E' \\n ', lexiflow_name(title), lexiflow_name(file_name),
        lexiflow_name(left(description, 2000)));
END $body$;

-- `following` is the text of the next page, or null. What surrounds the edge is read as a piece of
-- its own, of weight C: phrases find it, and a rank of weight D does not count it.
CREATE FUNCTION documents_page_vector(content text, following text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
DECLARE
    vector CONSTANT tsvector := to_tsvector('lexiflow', lexiflow_normalize(content));
BEGIN
    IF following IS NULL THEN RETURN vector; END IF;
    -- A word that the cut goes through is left out.
    RETURN vector || setweight(to_tsvector('lexiflow', 'the the the the ' || lexiflow_normalize(
        CASE WHEN length(content) > 200
            THEN regexp_replace(right(content, 200), '^[^[:space:]]*', '') ELSE content END || ' '
        || CASE WHEN length(following) > 200
            THEN regexp_replace(left(following, 200), '[^[:space:]]*$', '') ELSE following END
    )), 'C');
END $body$;

-- One vector, or several when the words do not fit into one.
CREATE FUNCTION documents_text_vectors(content text)
RETURNS SETOF tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
DECLARE
    middle integer;
BEGIN
    BEGIN
        RETURN NEXT to_tsvector('lexiflow', lexiflow_normalize(content));
        RETURN;
    EXCEPTION WHEN program_limit_exceeded THEN
        middle := length(content) / 2;
    END;
    -- Not through a word, if there is a space within reach.
    middle := middle + greatest(strpos(substr(content, middle + 1, 5000), ' '), 0);
    RETURN QUERY SELECT * FROM documents_text_vectors(left(content, middle));
    RETURN QUERY SELECT * FROM documents_text_vectors(substr(content, middle + 1));
END $body$;
"""

INDEX = """
CREATE FUNCTION documents_index_pages(document_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE documents_documentpage page SET vector = NULL
    FROM documents_document d
    WHERE d.id = ANY (document_ids) AND page.document_id = d.id AND page.vector IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM documents_documentversion v WHERE v.id = page.version_id
                AND v.number = d.current_version
                AND EXISTS (SELECT FROM documents_documentpage WHERE version_id = v.id OFFSET 1));
    UPDATE documents_documentpage page
    SET vector = documents_page_vector(page.text, neighbour.following)
    FROM (
        SELECT p.id, lead(p.text) OVER (PARTITION BY p.version_id ORDER BY p.number, p.part)
        FROM documents_document d
        JOIN documents_documentversion v ON v.document_id = d.id AND v.number = d.current_version
        JOIN documents_documentpage p ON p.version_id = v.id
        WHERE d.id = ANY (document_ids)
            AND EXISTS (SELECT FROM documents_documentpage WHERE version_id = v.id OFFSET 1)
    ) AS neighbour (id, following)
    WHERE page.id = neighbour.id;
END $body$;

-- The rows of the documents that fit into one vector each; raises 54000 if one does not.
CREATE FUNCTION documents_index_whole(document_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO documents_documentsearch AS s
        (document_id, organization_id, segment, names, title_vector, vector, length)
    SELECT d.id, d.organization_id, 0, documents_names(d.title, d.description, d.file_name),
        title.vector, text.vector || title.vector, text.length
    FROM documents_document d
    CROSS JOIN LATERAL (
        SELECT documents_title_vector(d.title, d.description, d.file_name) OFFSET 0
    ) AS title (vector)
    CROSS JOIN LATERAL (
        SELECT to_tsvector('lexiflow', lexiflow_normalize(content)), length(content) / 6 FROM (
            SELECT coalesce(string_agg(p.text, ' ' ORDER BY p.number, p.part), '')
            FROM documents_documentversion v JOIN documents_documentpage p ON p.version_id = v.id
            WHERE v.document_id = d.id AND v.number = d.current_version
        ) AS pages (content) OFFSET 0
    ) AS text (vector, length)
    WHERE d.id = ANY (document_ids)
    ON CONFLICT (document_id, segment) DO UPDATE
    SET names = excluded.names, title_vector = excluded.title_vector, vector = excluded.vector,
        length = excluded.length
    WHERE (s.names, s.title_vector, s.vector, s.length) IS DISTINCT FROM
        (excluded.names, excluded.title_vector, excluded.vector, excluded.length);
    DELETE FROM documents_documentsearch
    WHERE document_id = ANY (document_ids) AND segment > 0;
END $body$;

-- Segment 1 holds the title's words, the following ones what fits of the text.
CREATE FUNCTION documents_index_segments(wanted uuid) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    content text := (
        SELECT string_agg(p.text, ' ' ORDER BY p.number, p.part)
        FROM documents_document d
        JOIN documents_documentversion v ON v.document_id = d.id AND v.number = d.current_version
        JOIN documents_documentpage p ON p.version_id = v.id
        WHERE d.id = wanted);
BEGIN
    DELETE FROM documents_documentsearch WHERE document_id = wanted;
    INSERT INTO documents_documentsearch
        (document_id, organization_id, segment, names, title_vector, vector, length)
    SELECT d.id, d.organization_id, 1, documents_names(d.title, d.description, d.file_name),
        title.vector, title.vector, length(content) / 6
    FROM documents_document d CROSS JOIN LATERAL (
        SELECT documents_title_vector(d.title, d.description, d.file_name) OFFSET 0
    ) AS title (vector)
    WHERE d.id = wanted
    UNION ALL
    SELECT d.id, d.organization_id, 1 + text.number, '', '', text.vector, length(content) / 6
    FROM documents_document d
    CROSS JOIN documents_text_vectors(content) WITH ORDINALITY AS text (vector, number)
    WHERE d.id = wanted;
END $body$;

CREATE FUNCTION documents_index(document_ids uuid[]) RETURNS void
LANGUAGE plpgsql SET lexiflow.defer_index = 'on' AS $body$
DECLARE
    suspect uuid;
BEGIN
    -- Two changes of one document at once: the second sees what the first has written.
    PERFORM FROM documents_document WHERE id = ANY (document_ids) ORDER BY id FOR NO KEY UPDATE;
    PERFORM documents_index_pages(document_ids);
    BEGIN
        PERFORM documents_index_whole(document_ids);
        RETURN;
    EXCEPTION WHEN program_limit_exceeded THEN
        NULL;  -- at least one of them is too long; find it
    END;
    FOREACH suspect IN ARRAY document_ids LOOP
        BEGIN
            PERFORM documents_index_whole(ARRAY[suspect]);
        EXCEPTION WHEN program_limit_exceeded THEN
            PERFORM documents_index_segments(suspect);
        END;
    END LOOP;
END $body$;
"""

RETITLE = """
-- The text's part of a vector is what has no weight of its own; it need not be read again.
CREATE FUNCTION documents_retitle(document_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    segmented CONSTANT uuid[] := ARRAY(
        SELECT document_id FROM documents_documentsearch
        WHERE document_id = ANY (document_ids) AND segment = 1);
BEGIN
    UPDATE documents_documentsearch s
    SET names = documents_names(d.title, d.description, d.file_name),
        title_vector = title.vector, vector = ts_filter(s.vector, '{d}') || title.vector
    FROM documents_document d CROSS JOIN LATERAL (
        SELECT documents_title_vector(d.title, d.description, d.file_name) OFFSET 0
    ) AS title (vector)
    WHERE d.id = ANY (document_ids) AND s.document_id = d.id AND s.segment = 0;
    IF segmented <> '{}' THEN PERFORM documents_index(segmented); END IF;
EXCEPTION WHEN program_limit_exceeded THEN
    PERFORM documents_index(document_ids);
END $body$;
"""

TRIGGER_FUNCTIONS = """
CREATE FUNCTION documents_search_inserted() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM documents_index(ARRAY(SELECT id FROM new_rows ORDER BY id));
    RETURN NULL;
END $body$;

CREATE FUNCTION documents_search_updated() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    reversioned uuid[];
    retitled uuid[];
BEGIN
    SELECT array_agg(n.id ORDER BY n.id) FILTER (WHERE n.current_version <> o.current_version),
        array_agg(n.id ORDER BY n.id) FILTER (WHERE n.current_version = o.current_version)
    INTO reversioned, retitled
    FROM new_rows n JOIN old_rows o USING (id)
    WHERE (n.title, n.description, n.file_name, n.current_version) IS DISTINCT FROM
        (o.title, o.description, o.file_name, o.current_version);
    IF reversioned IS NOT NULL THEN PERFORM documents_index(reversioned); END IF;
    IF retitled IS NOT NULL THEN PERFORM documents_retitle(retitled); END IF;
    RETURN NULL;
END $body$;

CREATE FUNCTION documents_search_deleted() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    DELETE FROM documents_documentsearch WHERE document_id IN (SELECT id FROM old_rows);
    RETURN NULL;
END $body$;

-- For each of INSERT, UPDATE and DELETE: the documents whose current pages are in `changed`.
CREATE FUNCTION documents_pages_changed() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    changed uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT d.id) INTO changed
        FROM new_rows n
        JOIN documents_documentversion v ON v.id = n.version_id
        JOIN documents_document d ON d.id = v.document_id AND d.current_version = v.number;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT d.id) INTO changed
        FROM old_rows o
        JOIN documents_documentversion v ON v.id = o.version_id
        JOIN documents_document d ON d.id = v.document_id AND d.current_version = v.number;
    ELSE
        SELECT array_agg(DISTINCT n.document_id) INTO changed
        FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.text, n.number, n.part, n.version_id, n.document_id) IS DISTINCT FROM
            (o.text, o.number, o.part, o.version_id, o.document_id);
    END IF;
    IF changed IS NOT NULL THEN PERFORM documents_index(changed); END IF;
    RETURN NULL;
END $body$;
"""

_UNLESS_DEFERRED = "WHEN (coalesce(current_setting('lexiflow.defer_index', true), '') <> 'on')"
_TABLES = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}


def _trigger(name: str, table: str, operation: str, function: str, *, always: bool = False) -> str:
    return (
        f"CREATE TRIGGER {name} AFTER {operation} ON {table}"
        f" REFERENCING {_TABLES[operation]} FOR EACH STATEMENT"
        f" {'' if always else _UNLESS_DEFERRED} EXECUTE FUNCTION {function}();"
    )


TRIGGERS = [
    _trigger("search_insert", "documents_document", "INSERT", "documents_search_inserted"),
    _trigger("search_update", "documents_document", "UPDATE", "documents_search_updated"),
    _trigger(
        "search_delete", "documents_document", "DELETE", "documents_search_deleted", always=True
    ),
    *(
        _trigger(
            f"search_{operation.lower()}",
            "documents_documentpage",
            operation,
            "documents_pages_changed",
        )
        for operation in _TABLES
    ),
]

# A vector compresses badly; uncompressed it is written and ranked faster.
STORAGE = """
ALTER TABLE documents_documentsearch ALTER COLUMN vector SET STORAGE EXTERNAL;
ALTER TABLE documents_documentpage ALTER COLUMN vector SET STORAGE EXTERNAL;
"""

REVERSE = """
DROP FUNCTION documents_search_inserted() CASCADE;
DROP FUNCTION documents_search_updated() CASCADE;
DROP FUNCTION documents_search_deleted() CASCADE;
DROP FUNCTION documents_pages_changed() CASCADE;
DROP FUNCTION documents_index(uuid[]);
DROP FUNCTION documents_retitle(uuid[]);
DROP FUNCTION documents_index_whole(uuid[]);
DROP FUNCTION documents_index_segments(uuid);
DROP FUNCTION documents_index_pages(uuid[]);
DROP FUNCTION documents_text_vectors(text);
DROP FUNCTION documents_page_vector(text, text);
DROP FUNCTION documents_names(text, text, text);
DROP FUNCTION documents_title_vector(text, text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_initial"), ("lexiflow", "0003_search")]
    operations = [
        migrations.RunSQL(STORAGE, STORAGE.replace("EXTERNAL", "EXTENDED")),
        migrations.RunSQL([VECTORS, INDEX, RETITLE, TRIGGER_FUNCTIONS, *TRIGGERS], REVERSE),
        migrations.RunSQL(
            "SELECT documents_index(ARRAY(SELECT id FROM documents_document))",
            migrations.RunSQL.noop,
        ),
    ]
