"""Full-text search: one normaliser for texts and queries, one configuration, one vocabulary.

`lexiflow_normalize(text)` runs before every `to_tsvector` and every `…to_tsquery`, so what a
document says and what a person types meet. It changes nothing but what stands between letters and
digits, with one exception: a section sign becomes the word "section". Highlighting relies on that
(`lexiflow.search.snippets`). What it does, and why:

- hyphens, slashes and the like become spaces: "non-compete" and "non compete", "and/or", "05-1234"
  with any dash. PostgreSQL's parser would read "-1234" as a negative number, "and/or" as a file;
- "<" and "&" become spaces: the parser would take "<Smith and Jones>" for a tag and drop it;
- dots between single letters go: "384 U.S. 436" and "384 U. S. 436" read "384 US 436";
- other dots become spaces unless digits follow digits: "end.The" is no host name, "4.2" is a number;
- soft hyphens and zero-width characters go, other spaces and dashes of Unicode become spaces.

A change of the function makes every stored vector stale: re-index in the same migration.
"""

from django.db import migrations

NORMALIZE = r"""
CREATE FUNCTION lexiflow_plain_characters(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    RETURN regexp_replace(regexp_replace(
        regexp_replace(normalize(content), '[\u00AD\u200B-\u200D\u2060\uFEFF]', '', 'g'),
        '§+', ' section ', 'g'),
        '[\u00A0\u2000-\u200A\u2010-\u2015\u202F\u2043\u2044\u205F\u2212\u2215\u3000]',
        ' ', 'g');
END $body$;

CREATE FUNCTION lexiflow_normalize(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
BEGIN
    -- Most texts are plain ASCII and skip the dear half.
    IF octet_length(content) <> length(content) THEN
        content := lexiflow_plain_characters(content);
    END IF;
    RETURN regexp_replace(
        regexp_replace(content,
            '\m([[:alpha:]])\.(?:(?=[[:alpha:]]\M)|[[:space:]](?=[[:alpha:]]\.))', '\1', 'g'),
        '[-/<>&@_~^=*#+|]|\.(?![0-9])|([[:alpha:]])\.(?=[0-9])', '\1 ', 'g');
END $body$;
"""

CONFIGURATIONS = """
CREATE TEXT SEARCH CONFIGURATION lexiflow (COPY = english);
-- ASCII words have no accents to lose; leaving them to the stemmer alone is faster.
ALTER TEXT SEARCH CONFIGURATION lexiflow
    ALTER MAPPING FOR word, hword, hword_part WITH unaccent, english_stem;
ALTER TEXT SEARCH CONFIGURATION lexiflow
    ALTER MAPPING FOR numword, numhword WITH unaccent, simple;

-- Words as they are written, lower case and without accents: for the vocabulary.
CREATE TEXT SEARCH CONFIGURATION lexiflow_words (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION lexiflow_words ADD MAPPING FOR asciiword WITH simple;
ALTER TEXT SEARCH CONFIGURATION lexiflow_words ADD MAPPING FOR word WITH unaccent, simple;
"""

TSQUERIES = """
-- Both skip nulls, and both give null for no rows.
CREATE AGGREGATE lexiflow_all_of(tsquery) (SFUNC = tsquery_and, STYPE = tsquery);
CREATE AGGREGATE lexiflow_any_of(tsquery) (SFUNC = tsquery_or, STYPE = tsquery);

-- A lexeme as the text form of a tsquery writes it, whatever is in it.
CREATE FUNCTION lexiflow_quote_lexeme(lexeme text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT $$'$$ || replace(replace(lexeme, $$\\$$, $$\\\\$$), $$'$$, $$''$$) || $$'$$
$body$;

-- For comparing whole strings by trigrams: normalised, with single spaces.
CREATE FUNCTION lexiflow_name(content text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT btrim(regexp_replace(lexiflow_normalize(content), '[[:space:]]+', ' ', 'g'))
$body$;

CREATE FUNCTION lexiflow_like_pattern(content text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT replace(replace(replace(content, $$\\$$, $$\\\\$$), '%', $$\\%$$), '_', $$\\_$$)
$body$;
"""

VOCABULARY = """
-- Words as they are written, of a sample of all texts: to complete and to correct what is searched.
-- Words of every firm stand here; they widen a search, whose hits are filtered, and are never shown.
CREATE TABLE lexiflow_search_word (
    word text PRIMARY KEY,
    lexeme text NOT NULL,
    texts integer NOT NULL
);
COMMENT ON COLUMN lexiflow_search_word.texts IS 'In how many texts of the sample the word stands.';
CREATE INDEX search_word_prefix ON lexiflow_search_word (word text_pattern_ops);
CREATE INDEX search_word_trigram ON lexiflow_search_word USING gin (word gin_trgm_ops);
CREATE INDEX search_word_lexeme ON lexiflow_search_word (lexeme);

-- Every string one insertion, deletion, replacement or transposition of a-z away.
CREATE FUNCTION lexiflow_one_edit(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT array_agg(variant) FROM (
        SELECT left(word, i - 1) || letter || substr(word, i)
        FROM generate_series(1, length(word) + 1) AS i, regexp_split_to_table('abcdefghijklmnopqrstuvwxyz', '') AS letter
        UNION SELECT left(word, i - 1) || letter || substr(word, i + 1)
        FROM generate_series(1, length(word)) AS i, regexp_split_to_table('abcdefghijklmnopqrstuvwxyz', '') AS letter
        UNION SELECT left(word, i - 1) || substr(word, i + 1)
        FROM generate_series(1, length(word)) AS i
        UNION SELECT left(word, i - 1) || substr(word, i + 1, 1) || substr(word, i, 1)
            || substr(word, i + 2)
        FROM generate_series(1, length(word) - 1) AS i
    ) AS variants (variant) WHERE variant <> word
$body$;

-- What a word that was cut off may stand for. A prefix of a word is often no prefix of its stem
-- ("exclusiv" and "exclus"), so besides the prefix itself: what its usual endings are stemmed to,
-- and the words of the vocabulary that begin with it.
CREATE FUNCTION lexiflow_completions(word text) RETURNS tsquery
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $body$
    SELECT string_agg(DISTINCT item, ' | ')::tsquery FROM (
        SELECT lexiflow_quote_lexeme(word) || ':*'
        UNION ALL
        SELECT lexiflow_quote_lexeme(lexeme) FROM unnest(tsvector_to_array(to_tsvector('lexiflow',
            array_to_string(ARRAY(SELECT word || ending FROM unnest(
                '{"",e,s,es,ed,ing,n,on,ion,y,ty,ity,ly,al,l,ce,t,nt,ment}'::text[]) AS ending), ' ')
        ))) AS lexeme WHERE NOT starts_with(lexeme, word)  -- the prefix covers those
        UNION ALL
        SELECT lexiflow_quote_lexeme(lexeme) FROM (
            SELECT known.lexeme FROM lexiflow_search_word AS known
            WHERE known.word LIKE lexiflow_like_pattern($1) || '%'
                AND NOT starts_with(known.lexeme, $1)
            ORDER BY known.texts DESC, known.word LIMIT 20
        ) AS vocabulary
    ) AS items (item)
$body$;

-- What a misspelt word may stand for: words one edit away; failing those, words that look alike.
-- `at_least`: of words in so many texts only.
CREATE FUNCTION lexiflow_corrections(word text, at_least integer) RETURNS tsquery
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET pg_trgm.similarity_threshold = 0.4 AS $body$
DECLARE
    found tsquery;
BEGIN
    SELECT lexiflow_any_of(lexiflow_quote_lexeme(lexeme)::tsquery) INTO found FROM (
        SELECT known.lexeme FROM lexiflow_search_word AS known
        WHERE known.word = ANY (lexiflow_one_edit($1)) AND known.texts >= at_least
        ORDER BY known.texts DESC, known.word LIMIT 8) AS near;
    IF found IS NULL THEN
        SELECT lexiflow_any_of(lexiflow_quote_lexeme(lexeme)::tsquery) INTO found FROM (
            SELECT known.lexeme FROM lexiflow_search_word AS known
            WHERE known.word % $1 AND known.texts >= at_least
            ORDER BY similarity(known.word, $1) DESC, known.texts DESC, known.word LIMIT 5) AS near;
    END IF;
    RETURN found;
END $body$;
"""

REVERSE = """
DROP FUNCTION lexiflow_corrections(text, integer);
DROP FUNCTION lexiflow_completions(text);
DROP FUNCTION lexiflow_one_edit(text);
DROP TABLE lexiflow_search_word;
DROP FUNCTION lexiflow_like_pattern(text);
DROP FUNCTION lexiflow_name(text);
DROP FUNCTION lexiflow_quote_lexeme(text);
DROP AGGREGATE lexiflow_any_of(tsquery);
DROP AGGREGATE lexiflow_all_of(tsquery);
DROP TEXT SEARCH CONFIGURATION lexiflow_words;
DROP TEXT SEARCH CONFIGURATION lexiflow;
DROP FUNCTION lexiflow_normalize(text);
DROP FUNCTION lexiflow_plain_characters(text);
"""


class Migration(migrations.Migration):
    dependencies = [("lexiflow", "0002_uuid7")]
    operations = [migrations.RunSQL([NORMALIZE, CONFIGURATIONS, TSQUERIES, VOCABULARY], REVERSE)]
