"""How python-oracledb is brought to raise each of its own errors, on a simulated server or without one."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import oracledb
import pytest

from tests.simulators import oracle_server
from tests.simulators.oracle_server import SERVICE


def closed_connection(server):
    connection = oracledb.connect(user="ILS", password="ils", dsn=server.dsn)
    connection.close()
    connection.cursor()


def impatient(server):
    server.faults.hang = True
    with closing(oracledb.connect(user="ILS", password="ils", dsn=server.dsn)) as connection:
        connection.call_timeout = 200
        connection.cursor().execute("SELECT 1 FROM z36")


def cut(server):
    server.faults.fail_fetch_after = 0
    with closing(oracledb.connect(user="ILS", password="ils", dsn=server.dsn)) as connection:
        cursor = connection.cursor()
        cursor.arraysize, cursor.prefetchrows = 1, 0
        cursor.execute("SELECT 1 FROM z36 UNION ALL SELECT 2 FROM z36 UNION ALL SELECT 3 FROM z36")
        cursor.fetchall()


def wrong_bind(server):
    with closing(oracledb.connect(user="ILS", password="ils", dsn=server.dsn)) as connection:
        connection.cursor().execute("SELECT 1 FROM z36", {"reader": "Dupont"})


def missing_bind(server):
    with closing(oracledb.connect(user="ILS", password="ils", dsn=server.dsn)) as connection:
        connection.cursor().execute("SELECT 1 FROM z36 WHERE z36_id = :reader AND 1 = :other", {"reader": "Dupont"})


def no_password(server):
    oracledb.connect(user="ILS", dsn=server.dsn)


def no_account(server):
    oracledb.connect(dsn=server.dsn)


def thick_after_thin(server):
    oracledb.connect(user="ILS", password="ils", dsn=server.dsn).close()
    oracledb.init_oracle_client()


def refused_by_proxy(server):
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def answer():
            client, _ = proxy.accept()
            with client:
                client.recv(4096)
                client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            oracledb.connect(
                user="ILS",
                password="ils",
                host="db.invalid",
                service_name=SERVICE,
                protocol="tcps",
                https_proxy="127.0.0.1",
                https_proxy_port=proxy.getsockname()[1],
            )
        finally:
            thread.join()


def old_server(server):
    with pytest.MonkeyPatch.context() as patch:
        serve = oracle_server.serve_session
        patch.setattr(oracle_server, "serve_session", lambda stream, backend: serve(stream, backend, tns_version=314))
        oracledb.connect(user="ILS", password="ils", dsn=server.dsn)


def refused(number):
    def connect(server):
        server.faults.refuse = number
        oracledb.connect(user="ILS", password="ils", dsn=server.dsn)

    return connect


def connects(**given):
    def connect(server):
        filled = {key: str(value).format(port=server.port, folder=FOLDER) for key, value in given.items()}
        oracledb.connect(user="ILS", password="ils", **filled)

    return connect


FOLDER = "/nonexistent"
BY_THE_DRIVER = {
    "DPY-1001": closed_connection,
    "DPY-2018": connects(dsn="tcps://127.0.0.1:{port}/X", wallet_location="{folder}"),
    "DPY-2019": thick_after_thin,
    "DPY-3001": no_account,
    "DPY-3010": old_server,
    "DPY-4001": no_password,
    "DPY-4008": wrong_bind,
    "DPY-4010": missing_bind,
    "DPY-4011": cut,
    "DPY-4017": connects(dsn="(DESCRIPTION=(ADDRESS=PROTOCOL)(HOST=h))"),
    "DPY-4018": connects(dsn="(DESCRIPTION=(RETRY_COUNT=a))"),
    "DPY-4021": connects(host="127.0.0.1", protocol="carrier-pigeon", service_name="X"),
    "DPY-4024": impatient,
    "DPY-4026": connects(dsn="PROD", config_dir="{folder}"),
    "DPY-4027": connects(dsn="PROD"),
    "DPY-6000": refused(12999),
    "DPY-6001": refused(12514),
    "DPY-6003": refused(12505),
    "DPY-6004": refused_by_proxy,
}
