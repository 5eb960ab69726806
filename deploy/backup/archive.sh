#!/bin/sh
# PostgreSQL's archive_command: `archive_command = '/opt/lexiflow/deploy/backup/archive.sh %p %f'`.
# LEXIFLOW_ARCHIVE: a folder on another machine or disk. A segment is there completely or not at all,
# and one that is there already is only accepted if it is the same.
set -eu
source=$1 target=${LEXIFLOW_ARCHIVE:-/var/backups/lexiflow/archive}/$2
if [ -e "$target" ]; then
    exec cmp -s "$source" "$target"
fi
cp "$source" "$target.part"
sync "$target.part"
mv -n "$target.part" "$target"
[ ! -e "$target.part" ]
