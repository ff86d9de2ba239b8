"""One answer for all who look within a few seconds: asked once, errors told to all, forgotten after a change."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loan_reminders.web.shared_answers import SharedAnswer, forget_all


def test_an_error_goes_to_all_who_wait_and_is_not_kept():
    shared, begun, go_on, asked = SharedAnswer(60), threading.Event(), threading.Event(), []

    def ask():
        asked.append(1)
        begun.set()
        go_on.wait(5)
        raise ValueError("down")

    with ThreadPoolExecutor(3) as people:
        first = people.submit(shared.get, "day", ask)
        begun.wait(5)
        second = people.submit(shared.get, "day", ask)
        threading.Timer(0.1, go_on.set).start()
        for one in (first, second):
            with pytest.raises(ValueError, match="down"):
                one.result()
    assert len(asked) == 1
    assert shared.get("day", lambda: "up") == "up"


def test_an_answer_is_kept_for_its_key_until_somebody_changes_something():
    shared, numbers = SharedAnswer(60), iter(range(9))

    def ask():
        return next(numbers)

    assert [shared.get("monday", ask) for _ in range(3)] == [0, 0, 0]
    assert shared.get("tuesday", ask) == 1
    forget_all()
    assert shared.get("tuesday", ask) == 2


def test_an_answer_asked_before_a_change_is_not_given_to_who_comes_after():
    shared = SharedAnswer(60)

    def ask():
        forget_all()
        return "old"

    assert shared.get("day", ask) == "old"
    assert shared.get("day", lambda: "new") == "new"


def test_an_answer_grows_old():
    shared = SharedAnswer(0)
    assert [shared.get("day", lambda word=word: word) for word in ("a", "b")] == ["a", "b"]


def test_while_the_next_answer_is_asked_for_others_get_the_one_before():
    shared, begun, go_on = SharedAnswer(0), threading.Event(), threading.Event()

    def slowly():
        begun.set()
        go_on.wait(5)
        return "new"

    assert shared.get("day", lambda: "old") == "old"
    with ThreadPoolExecutor(1) as people:
        first = people.submit(shared.get, "day", slowly)
        begun.wait(5)
        shared._seconds = 60
        assert shared.get("day", lambda: "nobody asks twice") == "old"
        go_on.set()
        assert first.result() == "new"
    assert shared.get("day", lambda: "nobody asks again") == "new"


@pytest.mark.parametrize("spoilt", ["changed", "another day", "too old"])
def test_an_answer_of_before_is_given_to_nobody_once_it_is_not_true(spoilt):
    begun, go_on = threading.Event(), threading.Event()
    shared = SharedAnswer(0, meanwhile=0) if spoilt == "too old" else SharedAnswer(0)
    key = "tuesday" if spoilt == "another day" else "monday"

    def slowly():
        begun.set()
        go_on.wait(5)
        return "new"

    assert shared.get("monday", lambda: "old") == "old"
    if spoilt == "changed":
        forget_all()
    with ThreadPoolExecutor(2) as people:
        first = people.submit(shared.get, key, slowly)
        begun.wait(5)
        second = people.submit(shared.get, key, lambda: "newer")
        threading.Timer(0.05, go_on.set).start()
        assert first.result() == "new"
        assert second.result() in ("new", "newer")
