#!/bin/sh
# Two databases, each of its own user, who can open no other. PostgreSQL's image runs this once, on an empty volume.
set -eu
AIRFLOW_DB_PASSWORD=$(cat "$AIRFLOW_DB_PASSWORD_FILE")
LEDGER_DB_PASSWORD=$(cat "$LEDGER_DB_PASSWORD_FILE")
export AIRFLOW_DB_PASSWORD LEDGER_DB_PASSWORD
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv ledger_password LEDGER_DB_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE ledger LOGIN PASSWORD :'ledger_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE ledger OWNER ledger;
REVOKE ALL ON DATABASE airflow, ledger, postgres FROM PUBLIC;
SQL
