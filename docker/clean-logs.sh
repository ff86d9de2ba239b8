#!/bin/sh
# Removes, every six hours, what Airflow logged more than LOG_DAYS days ago: it never does so itself.
set -eu
folder=$1
case $LOG_DAYS in '' | *[!0-9]*) echo "LOG_DAYS : un nombre de jours est attendu" >&2; exit 1 ;; esac
while :; do
    find "$folder" -type f -mtime "+$LOG_DAYS" -delete
    find "$folder" -mindepth 1 -type d -empty -mtime "+$LOG_DAYS" -delete
    touch "${LOOKED:-/tmp/looked}"
    [ "${ONCE:-}" ] && exit 0
    sleep 21600 &
    wait $! # so that a signal ends it at once
done
