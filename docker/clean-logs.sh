#!/bin/sh
# Removes, every six hours, what Airflow logged more than LOG_DAYS days ago: it never does so itself. Airflow's Helm chart
# calls it without a word, tells the days by another name, and runs several over one volume.
set -eu
folder=${1:-$AIRFLOW_HOME/logs}
days=${LOG_DAYS-${AIRFLOW__LOG_RETENTION_DAYS-60}}
case $days in '' | *[!0-9]*) echo "LOG_DAYS : un nombre de jours est attendu" >&2; exit 1 ;; esac
trap 'exit 0' TERM INT # as the first process of a container it would not hear them
while :; do
    # What it may not enter or remove, such as a volume's lost+found, is told and left.
    find "$folder" -ignore_readdir_race -type f -mtime "+$days" -delete || true
    find "$folder" -ignore_readdir_race -mindepth 1 -type d -empty -mtime "+$days" -delete || true
    touch "${LOOKED:-/tmp/looked}"
    [ "${ONCE:-}" ] && exit 0
    sleep 21600 &
    wait $! # so that a signal ends it at once
done
