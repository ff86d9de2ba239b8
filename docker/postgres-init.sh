#!/bin/sh
# Two databases, each of its own user, who can open no other. PostgreSQL's image runs this once, on an empty volume.
set -eu
AIRFLOW_ACCOUNT=$(cat "$AIRFLOW_ACCOUNT_FILE")
LEDGER_ACCOUNT=$(cat "$LEDGER_ACCOUNT_FILE")
export AIRFLOW_ACCOUNT LEDGER_ACCOUNT
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv airflow_password AIRFLOW_ACCOUNT
\getenv ledger_password LEDGER_ACCOUNT
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE ledger LOGIN PASSWORD :'ledger_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE ledger OWNER ledger;
REVOKE ALL ON DATABASE airflow, ledger, postgres FROM PUBLIC;
SQL
