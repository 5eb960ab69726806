#!/bin/sh
# A backup of everything: backup.sh [FOLDER]; daily, by a timer. The folder is kept, the archive from
# its beginning on as well; then any moment since can be restored (restore.sh).
#
# DATABASE_URL: a role with REPLICATION, PostgreSQL itself. STORAGE_URL: the folder of files; files in
# S3 are kept by the bucket's versioning. First the database, then the files: LexiFlow writes a file
# before the row that names it, so each row finds its file.
set -eu
folder=${1:-/var/backups/lexiflow/$(date -u +%Y-%m-%dT%H%M%SZ)}
storage=${STORAGE_URL:?}
umask 077
mkdir -p "$folder"
if [ -e "$folder/complete" ]; then
    echo "$folder holds a backup already." >&2
    exit 1
fi
pg_basebackup --dbname="$DATABASE_URL" --pgdata="$folder/database" --wal-method=stream \
    --checkpoint=fast --manifest-checksums=SHA256
pg_verifybackup --quiet "$folder/database"
case $storage in
    s3://*) ;;
    *)
        files=${storage#file://}
        mkdir "$folder/files"
        # A file that is deleted while this runs is missed, and nobody else's. Any other trouble
        # makes this no backup.
        if [ ! -d "$files" ]; then
            echo "$files is no folder." >&2
            exit 1
        fi
        if ! LC_ALL=C cp -a "$files/." "$folder/files/" 2> "$folder/trouble"; then
            cat "$folder/trouble" >&2
            if grep -qv ': No such file or directory$' "$folder/trouble"; then
                exit 1
            fi
        fi
        rm "$folder/trouble"
        ;;
esac
date -u +%Y-%m-%dT%H:%M:%SZ > "$folder/complete"
sync
echo "$folder"
