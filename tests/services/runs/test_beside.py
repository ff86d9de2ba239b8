"""What is asked of the other thread is done in order, and its first error is everybody's."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from loan_reminders.services.runs.beside import Beside

WHERE: ContextVar[str] = ContextVar("where", default="nowhere")


def test_all_is_done_in_its_order_elsewhere_and_before_the_block_ends():
    done, gate = [], threading.Event()
    with Beside() as beside:
        first = beside.ask(gate.wait, 10)
        for number in range(3):
            beside.ask(done.append, number)
        last = beside.ask(lambda: threading.current_thread() is threading.main_thread())
        assert done == []
        gate.set()
    assert (first.result(), done, last.result()) == (True, [0, 1, 2], False)


def test_it_works_in_the_context_of_who_asks():
    token = WHERE.set("here")
    try:
        with Beside() as beside:
            assert beside.ask(WHERE.get).result() == "here"
    finally:
        WHERE.reset(token)


def test_after_an_error_nothing_more_is_done_and_it_is_the_first_one_that_is_told():
    done, asked = [], []

    def work():
        with Beside() as beside:
            asked.extend((beside.ask(_fail, "first"), beside.ask(_fail, "second"), beside.ask(done.append, 1)))

    with pytest.raises(ValueError, match="first"):
        work()
    assert [str(one.exception()) for one in asked] == ["first"] * 3
    assert done == []


def test_an_error_of_ones_own_waits_for_what_is_under_way_and_begins_nothing_more():
    done, begun, gate = [], threading.Event(), threading.Event()

    def slow():
        begun.set()
        gate.wait(10)
        done.append("slow")

    def work():
        with Beside() as beside:
            beside.ask(slow)
            beside.ask(done.append, "next")
            begun.wait(10)
            threading.Timer(0.05, gate.set).start()
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert done == ["slow"]


def _fail(words):
    raise ValueError(words)
