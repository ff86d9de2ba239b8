#!/bin/sh
# What comes before all else: is anything missing, then tables, roles and the first administrator. It may run again
# at each start; what is there already is left alone.
set -eu
loan-reminders prepare --verifier
airflow db migrate
exec loan-reminders prepare
