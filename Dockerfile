# The reminders and the Airflow that runs them.
# Not built on Airflow's own image, which brings some hundred pinned packages of its own: here requirements.txt says
# all that the program needs and requirements-server.txt what a production server adds, the same versions that
# `make test` runs on, and on the same Python. What tests, the demo and the bench need besides is not in the image.
FROM python:3.11-slim

ENV AIRFLOW_HOME=/opt/airflow \
    PYTHONPATH=/opt/relances/plugins:/opt/relances \
    PYTHONUNBUFFERED=1

WORKDIR /opt/relances
COPY requirements.txt requirements-server.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
        --requirement requirements-server.txt \
 && python -m pip check

COPY library.toml ./
COPY templates templates/
COPY sql sql/
COPY plugins plugins/
COPY dags dags/
# the simulated SMS provider of docker-compose.yaml
COPY tests/__init__.py tests/
COPY tests/simulators tests/simulators/

# The program stays root's; its user can write only here. New volumes take these folders' owner.
RUN useradd --system --uid 10001 --home-dir /opt/airflow relances \
 && install --directory --owner relances /opt/airflow /opt/airflow/logs /opt/airflow/accounts \
        /var/lib/relances /var/lib/relances/letters /var/lib/relances/ils
USER relances
