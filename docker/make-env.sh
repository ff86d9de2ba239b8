#!/bin/sh
# Makes what docker-compose.yaml wants beside itself: .env (settings and profiles) and secrets/ (one file a secret).
#
#   sh docker/make-env.sh                 a library's own installation; then fill in secrets/connections.json
#   sh docker/make-env.sh demo            the fictional library and its stand-ins
#   sh docker/make-env.sh scale           a library's own, on Celery workers
#   sh docker/make-env.sh demo scale      both
#
# What exists is left alone: databases hold on to the passwords that they were created with. Only its owner may enter
# secrets/; the files in it are readable, because a container shows them to a user of its own number.
set -eu
umask 077
cd "$(dirname "$0")/.."

demo='' executor=LocalExecutor profiles=''
for profile in "$@"; do
    case $profile in
        demo) demo=yes ;;
        scale) executor=CeleryExecutor ;;
        *) echo "make-env.sh: demo, scale or nothing, not $profile" >&2; exit 2 ;;
    esac
    profiles=$profiles${profiles:+,}$profile
done

mkdir -p secrets
chmod 700 secrets

# What containers are shown of this folder, their users read by other numbers than its owner's: a clone made under a
# strict umask would forbid it. Nothing in it is secret.
for shown in library.toml libraries templates docker deploy; do
    [ ! -e "$shown" ] || chmod -R go+rX "$shown" ||
        echo "make-env.sh: $shown: containers must be able to read it all; its owner can do: chmod -R go+rX $shown" >&2
done

random() { head -c "$1" /dev/urandom | od -An -vtx1 | tr -d ' \n'; }

# Writes standard input to a new file of secrets/; one that exists is left alone.
secret() {
    if [ -e "secrets/$1" ]; then
        cat >/dev/null
    else
        cat >"secrets/$1.new"
        chmod 444 "secrets/$1.new"
        mv "secrets/$1.new" "secrets/$1"
    fi
}

# Airflow: what encrypts it stores, what signs log-ins, what signs requests for logs
head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' | secret fernet_key
random 32 | secret jwt_secret
random 32 | secret api_secret_key
# the first administrator's password, for the first log-in
random 9 | secret admin_password
# the last part of the address to which allmysms pushes receipts and replies: nobody can guess it
random 24 | secret sms_callback_token
# PostgreSQL: its administrator, the owner of Airflow's database, the owner of the ledger
random 12 | secret postgres_password
random 12 | secret airflow_db_password
random 12 | secret ledger_db_password
# the demo's Oracle: its administrator, the account that reads loans; and the simulated SMS provider's key
random 12 | secret oracle_password
random 12 | secret ils_password
random 16 | secret allmysms_api_key
# Celery's queue
random 16 | secret redis_password

airflow_db="airflow:$(cat secrets/airflow_db_password)@postgres:5432/airflow"
queue=$(cat secrets/redis_password)
printf 'postgresql+psycopg2://%s' "$airflow_db" | secret sql_alchemy_conn
printf 'db+postgresql+psycopg2://%s' "$airflow_db" | secret celery_result_backend
printf 'redis://:%s@redis:6379/0' "$queue" | secret celery_broker_url
printf 'requirepass %s\ndir /data\nappendonly yes\n' "$queue" | secret redis.conf

ledger=$(cat <<END
  "reminders_ledger": {"conn_type": "postgres", "host": "postgres", "port": 5432, "schema": "ledger",
    "login": "ledger", "password": "$(cat secrets/ledger_db_password)"}
END
)
if [ "$demo" ]; then
    secret connections.json <<END
{
$ledger,
  "ils_oracle": {"conn_type": "oracle", "host": "oracle", "port": 1521, "login": "ILS",
    "password": "$(cat secrets/ils_password)", "extra": {"service_name": "FREEPDB1"}},
  "mail_relay": {"conn_type": "smtp", "host": "mailpit", "port": 1025,
    "extra": {"disable_ssl": true, "disable_tls": true}},
  "allmysms": {"conn_type": "http", "host": "allmysms", "port": 8025, "schema": "http", "login": "bu-montclar",
    "password": "$(cat secrets/allmysms_api_key)", "extra": {"login_in_clear": true}}
}
END
else
    secret connections.json <<END
{
$ledger,
  "ils_oracle": {"conn_type": "oracle", "host": "", "port": 1521, "login": "", "password": "",
    "extra": {"service_name": ""}},
  "mail_relay": {"conn_type": "smtp", "host": "", "port": 587, "login": "", "password": "",
    "extra": {"disable_ssl": true}},
  "allmysms": {"conn_type": "http", "host": "api.allmysms.com", "schema": "https", "login": "", "password": ""}
}
END
    chmod u+w secrets/connections.json # to be filled in
fi

if [ -e .env ]; then
    echo ".env exists and was left alone" >&2
else
    cat >.env <<END
# Settings of docker-compose.yaml; the secrets are in secrets/.
COMPOSE_PROFILES=$profiles
# files laid over docker-compose.yaml (docs/deployment.md), for example
# COMPOSE_FILE=docker-compose.yaml:deploy/libraries/docker-compose.libraries.yaml
AIRFLOW_EXECUTOR=$executor
# Enabled: the button Test of Airflow's form of connections; it lets an administrator have any server asked
AIRFLOW_TEST_CONNECTION=${demo:+Enabled}
# how many workers of the profile "scale" run on this machine
WORKERS=2
# the address that people type, which a reverse proxy shows by HTTPS
AIRFLOW_BASE_URL=http://localhost:8080
AIRFLOW_ADMIN_USERNAME=admin
AIRFLOW_ADMIN_EMAIL=${demo:+admin@bu-montclar.example}
# from where allmysms may call; without a value, from anywhere. For example 192.0.2.0/24, 2001:db8::/32
REMINDERS_SMS_CALLBACK_NETWORKS=
# the network of these containers, and its gateway: what comes from this machine, such as a reverse proxy's requests
SUBNET=172.30.240.0/24
TRUSTED_PROXIES=172.30.240.1
# after how many days the logs of tasks are removed
LOG_DAYS=60
END
fi
