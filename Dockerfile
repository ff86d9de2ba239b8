# The reminders and the Airflow that runs them.
# Not built on Airflow's own image, which brings some hundred pinned packages of its own: here requirements.txt says
# all that the program needs and requirements-server.txt what a production server adds, the same versions that
# `make test` runs on, and on the same Python. What tests, the demo and the bench need besides is not in the image.
# The program is installed as the package that docs/install.md tells of: Airflow finds the pages and the types of
# connection by its entry points. The last stage is production; `demo` adds the stand-ins of docker-compose.yaml.
# Its lines are carried out in tests/package/test_image.py, all but what fetches packages and makes the user.

# the package, with what a library changed in this folder: words, statements
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS wheel
WORKDIR /build
COPY requirements-build.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
        --requirement requirements-build.txt
COPY pyproject.toml README.md LICENSE NOTICE.md library.toml ./
COPY templates templates/
COPY sql sql/
COPY plugins plugins/
COPY dags dags/
RUN python -m pip wheel --disable-pip-version-check --no-index --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS program

# deploy/ is found on PYTHONPATH: the log-in of accounts and of single sign-on
ENV AIRFLOW_HOME=/opt/airflow \
    REMINDERS_CONFIG=/opt/relances/library.toml \
    PYTHONPATH=/opt/relances \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /opt/relances
COPY requirements.txt requirements-server.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
        --requirement requirements-server.txt \
 && python -m pip check
COPY --from=wheel /wheels /wheels
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-index --no-deps /wheels/*.whl \
 && python -m pip check \
 && loan-reminders dags --write dags

COPY library.toml ./
COPY docker docker/
COPY deploy deploy/

# The program stays root's; its user can write only here, which docker-compose.yaml makes volumes and tmpfs of. New
# volumes take these folders' owner. Nothing is compiled at run time: the file system is read-only. COPY keeps the modes
# of the clone: one made under a strict umask is its owner's alone. Airflow's Helm chart calls two scripts by the names
# that they have in Airflow's own image.
RUN chmod -R go+rX . \
 && ln -s /opt/relances/docker/entrypoint.sh /entrypoint \
 && ln -s /opt/relances/docker/clean-logs.sh /clean-logs \
 && python -m compileall -q dags deploy \
 && install --directory library/templates \
 && groupadd --system --gid 10001 relances \
 && useradd --system --uid 10001 --gid 10001 --home-dir /opt/airflow relances \
 && install --directory --owner relances /opt/airflow /opt/airflow/logs \
        /var/lib/relances /var/lib/relances/letters /var/lib/relances/ils

# The simulated SMS provider and the fictional library
FROM program AS demo
COPY sql/demo sql/demo/
COPY tests/__init__.py tests/
COPY tests/simulators tests/simulators/
RUN chmod -R go+rX sql tests
USER relances

FROM program AS production
USER relances
