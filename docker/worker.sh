#!/bin/sh
# A Celery worker, which would never get a task while the scheduler runs them itself.
set -eu
if [ "$AIRFLOW__CORE__EXECUTOR" != CeleryExecutor ]; then
    echo "Des travailleurs sans file : écrire AIRFLOW_EXECUTOR=CeleryExecutor dans .env, puis docker compose up." >&2
    exit 1
fi
exec airflow celery worker
