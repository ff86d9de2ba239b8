"""An S3 server of a test's own: moto's, in a process, with one empty bucket. It keeps objects in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import requests

from tests.e2e.processes import free_port

MISSING = "moto's server and s3fs are not installed (requirements-server.txt, requirements-test.txt)"
PATIENCE_S = 60
KEY = "test"
"""Login and password: moto takes any."""


def available() -> bool:
    """Whether the server, and what Airflow reads it with, are installed."""
    return all(find_spec(name) is not None for name in ("moto", "s3fs"))


def forget_servers() -> None:
    """Airflow remembers the client of a connection for as long as its process lives, whatever the connection says."""
    if "airflow.sdk.io.store" in sys.modules:
        sys.modules["airflow.sdk.io.store"]._STORE_CACHE.clear()


class S3Server:
    """A context manager. `log` is a file for what the server says."""

    def __init__(self, log: Path, bucket: str = "relances") -> None:
        self.bucket = bucket
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log

    def __enter__(self) -> Self:
        forget_servers()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._log.open("ab")
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=self._file, stderr=self._file)
        deadline = time.monotonic() + PATIENCE_S
        while not self._made():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise RuntimeError(f"the S3 server did not start: see {self._log}")
            time.sleep(0.1)
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._file.close()
        forget_servers()

    def connection(self) -> str:
        """The Airflow connection to it, as an environment variable holds one."""
        extra = {"endpoint_url": self.url, "region_name": "eu-west-3"}
        return json.dumps({"conn_type": "aws", "login": KEY, "password": KEY, "extra": extra})

    def names(self) -> list[str]:
        """The keys of all objects."""
        return sorted(one["Key"] for one in self.client().list_objects_v2(Bucket=self.bucket).get("Contents", ()))

    def read(self, key: str) -> bytes:
        """One object."""
        return bytes(self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def client(self):
        """Another client than the one under test."""
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.url, region_name="eu-west-3", aws_access_key_id=KEY, aws_secret_access_key=KEY
        )

    def _made(self) -> bool:
        """Whether the server listens and has the bucket."""
        try:
            return requests.put(f"{self.url}/{self.bucket}", timeout=5).ok
        except requests.RequestException:
            return False
