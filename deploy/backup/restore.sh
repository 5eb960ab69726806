#!/bin/sh
# Restores a backup: restore.sh BACKUP DATA FILES [MOMENT]
#
# DATA and FILES are new folders: nothing that is there is overwritten. MOMENT, as PostgreSQL reads it
# ('2026-01-31 12:00:00+00'): as it was then; without it, as late as the archive goes
# (LEXIFLOW_ARCHIVE). Start PostgreSQL on DATA; it replays and then accepts writes. Files that were
# stored after the backup come from the storage's own copies: rows without a file answer 404.
set -eu
backup=$1 data=$2 files=$3 moment=${4:-}
archive=${LEXIFLOW_ARCHIVE:-/var/backups/lexiflow/archive}
if [ ! -e "$backup/complete" ]; then
    echo "$backup was never completed." >&2
    exit 1
fi
for place in "$data" "$files"; do
    if [ -e "$place" ] && [ -n "$(ls -A "$place")" ]; then
        echo "$place is not empty." >&2
        exit 1
    fi
done
umask 077
mkdir -p "$data" "$files"
pg_verifybackup --quiet "$backup/database"
cp -a "$backup/database/." "$data/"
chmod 0700 "$data"
if [ -d "$backup/files" ]; then
    cp -a "$backup/files/." "$files/"
fi
{
    echo "restore_command = 'cp \"$archive/%f\" \"%p\"'"
    echo "recovery_target_action = 'promote'"
    echo "recovery_target_timeline = 'latest'"
    # Never into the archive of the server that this one was copied from.
    echo "archive_mode = off"
    if [ -n "$moment" ]; then
        echo "recovery_target_time = '$moment'"
    fi
} >> "$data/postgresql.auto.conf"
touch "$data/recovery.signal"
echo "Before it takes over for good: a new LEXIFLOW_ARCHIVE, then ALTER SYSTEM RESET archive_mode and"
echo "recovery_target_time, a restart, and a new backup. Until then nothing is archived."
echo "Start PostgreSQL on $data; then \`manage.py preflight\`, \`verify_audit\` and \`search_verify\`."
