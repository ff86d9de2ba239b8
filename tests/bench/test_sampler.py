"""What the bench says of the steps that take most: our own function, and the library it waits for."""

from __future__ import annotations

import importlib
import re
import threading
import time

from loan_reminders.domain.recipients import EmailAddress
from tests.bench.sampler import Sampler, step

MANY = [f"lecteur{number}@etu.example.org" for number in range(200)]


def parse_for(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for address in MANY:
            EmailAddress.parse(address)


def test_what_takes_the_time_comes_first_with_its_share():
    sampler = Sampler()
    with sampler:
        parse_for(0.4)
    share, step = re.fullmatch(r"(\d+) % (.*)", sampler.top()[0]).groups()
    assert "domain/recipients/" in step
    assert int(share) > 25
    assert len(sampler.top()) <= 3


def test_nothing_is_counted_between_its_blocks():
    sampler = Sampler()
    parse_for(0.1)
    with sampler:
        time.sleep(0.1)
    assert all("outside of our code" in one for one in sampler.top())


def test_an_import_is_told_as_pythons_own(tmp_path, monkeypatch):
    (tmp_path / "imported_just_now.py").write_text("import sys\nframe = sys._getframe(1)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert step(importlib.import_module("imported_just_now").frame) == "outside of our code, in importlib"


def test_in_a_server_it_is_the_threads_inside_our_code_that_count():
    sampler = Sampler(server=True)
    thread = threading.Thread(target=parse_for, args=[0.3])
    with sampler:
        thread.start()
        time.sleep(0.3)
        thread.join()
    assert "domain/recipients/" in sampler.top()[0]
