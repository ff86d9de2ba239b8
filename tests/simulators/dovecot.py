"""A Dovecot of this machine, started for one test: what a real IMAP server makes of our commands."""

from __future__ import annotations

import contextlib
import getpass
import imaplib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

USER = "mail"
"""Whose mail it is on this machine."""

CONFIGURATION = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def installed() -> bool:
    """Whether this machine has a Dovecot that this test may start."""
    return shutil.which("dovecot") is not None and getpass.getuser() == "root"


@contextlib.contextmanager
def dovecot(folder: Path) -> Iterator[int]:
    """Run it; gives the port. Any login opens with the password `secret`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "run").mkdir(parents=True)
    folder.chmod(0o755)
    for name in ("home", "mail"):  # Dovecot gives no mail to root
        (folder / name).mkdir()
        shutil.chown(folder / name, USER, USER)
    configuration = folder / "dovecot.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, user=USER, group=USER))
    with subprocess.Popen(["dovecot", "-F", "-c", str(configuration)]) as process:
        try:
            _until_it_answers(port, folder / "dovecot.log")
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _until_it_answers(port: int, log: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError, imaplib.IMAP4.error), imaplib.IMAP4("127.0.0.1", port, timeout=5) as imap:
            imap.login("retours", "secret")
            return
        time.sleep(0.1)
    raise RuntimeError(f"Dovecot does not answer: {log.read_text() if log.exists() else 'no log'}")
