"""`lexiflow_uuid7()`: time-ordered keys (RFC 9562 section 5.7) for rows that SQL itself makes.

The 48 bits of milliseconds replace the head of a version 4 UUID, then the version bits are set.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION lexiflow_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("lexiflow", "0001_extensions")]
    operations = [migrations.RunSQL(FORWARD, "DROP FUNCTION lexiflow_uuid7()")]
