# The reminders and the Airflow that runs them.
# Not built on Airflow's own image, which brings some hundred pinned packages of its own: here requirements.txt says
# all that the program needs and requirements-server.txt what a production server adds, the same versions that
# `make test` runs on, and on the same Python. What tests, the demo and the bench need besides is not in the image.
# The last stage is production; `demo` adds the stand-ins of docker-compose.yaml.
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS program

ENV AIRFLOW_HOME=/opt/airflow \
    PYTHONPATH=/opt/relances/plugins:/opt/relances \
    PYTHONDONTWRITEBYTECODE=1 \
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
COPY docker docker/
COPY deploy deploy/

# The program stays root's; its user can write only here, which docker-compose.yaml makes volumes and tmpfs of. New
# volumes take these folders' owner. Nothing is compiled at run time: the file system is read-only.
RUN python -m compileall -q plugins dags \
 && printf '#!/bin/sh\nexec python -m loan_reminders "$@"\n' >/usr/local/bin/loan-reminders \
 && chmod 755 /usr/local/bin/loan-reminders \
 && groupadd --system --gid 10001 relances \
 && useradd --system --uid 10001 --gid 10001 --home-dir /opt/airflow relances \
 && install --directory --owner relances /opt/airflow /opt/airflow/logs \
        /var/lib/relances /var/lib/relances/letters /var/lib/relances/ils

# The simulated SMS provider and the fictional library
FROM program AS demo
COPY tests/__init__.py tests/
COPY tests/simulators tests/simulators/
USER relances

FROM program AS production
RUN rm -r sql/demo
USER relances
