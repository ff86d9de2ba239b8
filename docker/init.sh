#!/bin/sh
# What comes before all else: is anything missing, then tables, roles and the first administrator. It may run again
# at each start; what is there already is left alone.
set -eu
python -m loan_reminders prepare --verifier
airflow db migrate
exec python -m loan_reminders prepare
