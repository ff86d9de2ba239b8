#!/bin/sh
# Runs what it is told: the probes of Airflow's Helm chart call their commands through it, as in Airflow's own image.
exec "$@"
