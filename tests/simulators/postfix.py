"""A real Postfix on this machine's loopback, with a configuration and a queue of its own; nothing leaves the machine.

Needs Debian's package `postfix` and root, which Postfix starts as. Every accepted mail goes to `discard`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAM = "/usr/sbin/postfix"
MISSING = "a real Postfix needs root and Debian's package postfix: apt-get install -y postfix"


def available() -> bool:
    return os.geteuid() == 0 and Path(PROGRAM).exists()


class Postfix:
    """A context manager; `port` is where it listens. `folder` must be one that everybody may enter.

    `settings` are lines of main.cf, over the ones below.

    Recipients of `bu.test`: `connu*` exist, `plus-tard*` are deferred, the others are unknown.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.config, self.queue, self.data = folder / "etc", folder / "queue", folder / "data"
        self.log = folder / "postfix.log"
        self.settings = settings
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port: int = taken.getsockname()[1]

    def __enter__(self) -> Self:
        for part in (self.config, self.queue, self.data):
            part.mkdir(parents=True)
        shutil.chown(self.data, "postfix")
        (self.config / "recipients").write_text(
            "/^connu.*@bu\\.test$/ OK\n/^plus-tard.*@bu\\.test$/ 450 4.7.1 Greylisted, try again later\n"
            "/@bu\\.test$/ 550 5.1.1 User unknown\n"
        )
        (self.config / "senders").write_text("/^banni@/ REJECT Sender banned\n")
        (self.config / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in self._main().items()))
        (self.config / "master.cf").write_text(self._master())
        self._postfix("start")
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._postfix("stop")

    def accepted(self) -> int:
        """How many messages the queue took in."""
        return self.log.read_text(errors="replace").count("message-id=<") if self.log.exists() else 0

    def _main(self) -> dict[str, str]:
        return {
            "compatibility_level": "3.6",
            "queue_directory": str(self.queue),
            "data_directory": str(self.data),
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "meta_directory": "/etc/postfix",
            "shlib_directory": "/usr/lib/postfix",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "maillog_file": str(self.log),
            "maillog_file_prefixes": str(self.folder),
            "myhostname": "mx.bu.test",
            "mydestination": "",
            "mynetworks": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "local_recipient_maps": "",
            "virtual_mailbox_domains": "bu.test",
            "virtual_transport": "discard:",
            "default_transport": "discard:",
            "smtpd_relay_restrictions": "permit_auth_destination, reject",
            "smtpd_sender_restrictions": f"check_sender_access regexp:{self.config}/senders",
            "smtpd_recipient_restrictions": f"check_recipient_access regexp:{self.config}/recipients, reject",
            "smtpd_error_sleep_time": "0",
            "smtpd_tls_security_level": "none",
            **self.settings,
        }

    def _master(self) -> str:
        private = "unix - - n - -"
        services = {"bounce": "bounce", "defer": "bounce", "trace": "bounce"}
        lines = [
            f"127.0.0.1:{self.port} inet n - n - - smtpd",
            "cleanup unix n - n - 0 cleanup",
            "qmgr unix n - n 300 1 qmgr",
            "rewrite unix - - n - - trivial-rewrite",
            *(f"{name} unix - - n - 0 {program}" for name, program in services.items()),
            f"discard {private} discard",
            f"error {private} error",
            f"proxymap {private} proxymap",
            "tlsmgr unix - - n 1000? 1 tlsmgr",
            "anvil unix - - n - 1 anvil",
            "scache unix - - n - 1 scache",
            "postlog unix-dgram n - n - 1 postlogd",
        ]
        return "\n".join(lines) + "\n"

    def _postfix(self, verb: str) -> None:
        done = subprocess.run([PROGRAM, "-c", str(self.config), verb], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"postfix {verb}: {done.stdout}{done.stderr}{self._logged()}")

    def _logged(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def _wait(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
                    if line.recv(100).startswith(b"220"):
                        line.sendall(b"QUIT\r\n")
                        return
            except OSError:
                time.sleep(0.05)
        self._postfix("stop")
        raise RuntimeError(f"Postfix does not answer: {self._logged()}")
