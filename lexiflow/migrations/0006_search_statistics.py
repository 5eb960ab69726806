"""What ranking and correcting need to know of all texts, and the version of the normaliser.

`lexiflow_normalizer()` is the version of `lexiflow_normalize` and of the configuration. Each row of
a search table says with which version it was made. A migration that changes either also replaces
this function; `manage.py reindex_search` then makes the older rows anew, a few at a time, while
everything goes on.
"""

from django.db import migrations

STATISTICS = """
CREATE FUNCTION lexiflow_normalizer() RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1::smallint';

-- One row for each searched table, counted from a sample of it.
CREATE TABLE lexiflow_search_collection (
    collection text PRIMARY KEY,
    records bigint NOT NULL,
    sampled bigint NOT NULL,
    mean_length float8 NOT NULL,
    mean_title_length float8 NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE lexiflow_search_lexeme (
    lexeme text NOT NULL,
    collection text NOT NULL,
    records integer NOT NULL,
    PRIMARY KEY (lexeme, collection)
);
COMMENT ON COLUMN lexiflow_search_lexeme.records IS 'In how many records of the sample it stands.';
"""

ALTERNATES = """
-- What a word that hardly any text has may stand for, the likeliest first: words one edit away, the
-- word with its end or its beginning cut off; failing those, words that look alike.
-- `factor`: how much a hit of it counts beside a hit of the word as it was typed.
CREATE FUNCTION lexiflow_alternates(
    word text, typed text, OUT lexeme text, OUT factor float8, OUT spelling text)
RETURNS SETOF record LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 4
SET pg_trgm.similarity_threshold = 0.4 SET enable_seqscan = off AS $body$
DECLARE
    factors CONSTANT float8[] := '{0.7,0.5,0.4,0.35}';
BEGIN
    RETURN QUERY
        SELECT known.lexeme, factors[row_number() OVER (ORDER BY known.texts DESC, known.lexeme)],
            known.spelling
        FROM (
            SELECT near.lexeme, sum(near.texts) AS texts,
                (array_agg(near.word ORDER BY near.texts DESC, near.word))[1] AS spelling
            FROM (
                (SELECT w.word, w.lexeme, w.texts FROM lexiflow_search_word AS w
                WHERE w.word = ANY (lexiflow_one_edit($1)) ORDER BY w.texts DESC LIMIT 8)
                UNION ALL
                (SELECT w.word, w.lexeme, w.texts FROM lexiflow_search_word AS w
                WHERE w.word LIKE lexiflow_like_pattern($1) || '%'
                    AND length(w.word) <= length($1) + 4
                ORDER BY w.texts DESC LIMIT 8)
                UNION ALL
                (SELECT w.word, w.lexeme, w.texts FROM lexiflow_search_word AS w
                WHERE w.word LIKE '%' || lexiflow_like_pattern($1)
                    AND length(w.word) <= length($1) + 3
                ORDER BY w.texts DESC LIMIT 8)
            ) AS near (word, lexeme, texts)
            WHERE near.lexeme <> typed GROUP BY near.lexeme
            ORDER BY sum(near.texts) DESC, near.lexeme LIMIT 4
        ) AS known;
    IF FOUND THEN RETURN; END IF;
    RETURN QUERY
        SELECT known.lexeme, factors[1 + row_number() OVER (ORDER BY known.likeness DESC, known.lexeme)],
            known.spelling
        FROM (
            SELECT w.lexeme, max(similarity(w.word, $1)) AS likeness,
                (array_agg(w.word ORDER BY similarity(w.word, $1) DESC, w.word))[1] AS spelling
            FROM lexiflow_search_word AS w WHERE w.word % $1 AND w.lexeme <> typed
            GROUP BY w.lexeme ORDER BY 2 DESC, 1 LIMIT 3
        ) AS known;
END $body$;
"""

REVERSE = """
DROP FUNCTION lexiflow_alternates(text, text);
DROP TABLE lexiflow_search_lexeme;
DROP TABLE lexiflow_search_collection;
DROP FUNCTION lexiflow_normalizer();
"""


class Migration(migrations.Migration):
    dependencies = [("lexiflow", "0005_cache")]
    operations = [migrations.RunSQL([STATISTICS, ALTERNATES], REVERSE)]
