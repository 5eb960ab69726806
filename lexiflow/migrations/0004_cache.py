"""What the cache of answers needs in PostgreSQL: who is told of writes, and the current epoch.

Tables without models: nothing but `lexiflow.cache` reads them, and emptying the test database must
not empty the one row of the epoch.
"""

from django.db import migrations

# A connection of the application hears of a write in its own protocol stream: INFO is sent whatever
# `client_min_messages` says. Of other connections' writes every process is notified, and those that
# do not run yet find a note. Both only exist if the write is committed.
FORWARD = """
CREATE TABLE lexiflow_cacheepoch (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    epoch uuid NOT NULL,
    server text NOT NULL,
    quiet_until timestamptz NOT NULL
);
INSERT INTO lexiflow_cacheepoch (epoch, server, quiet_until)
VALUES (gen_random_uuid(), '', '-infinity');

CREATE TABLE lexiflow_cachenote (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    told text NOT NULL
);
CREATE INDEX cache_note_by_time ON lexiflow_cachenote (written_at);

CREATE FUNCTION lexiflow_cache_tell(told text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF current_setting('application_name') = 'lexiflow' THEN
        RAISE INFO USING MESSAGE = told, ERRCODE = 'LX001';
    ELSE
        INSERT INTO lexiflow_cachenote (told) VALUES (told);
        PERFORM pg_notify('lexiflow_cache', told);
    END IF;
END $$;
"""
BACKWARD = """
DROP FUNCTION lexiflow_cache_tell(text);
DROP TABLE lexiflow_cachenote, lexiflow_cacheepoch;
"""


class Migration(migrations.Migration):
    dependencies = [("lexiflow", "0003_search")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
