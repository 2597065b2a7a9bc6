"""Runs in threads: in order, at the same time, and no more of them than asked for."""

from __future__ import annotations

import threading

import pytest

from sitedesign.util.threads import ahead, at_once, meanwhile, one_ahead


def test_two_runs_are_under_way_together_and_results_keep_their_order(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    both = threading.Barrier(2, timeout=60)

    def run(number):
        both.wait()
        return number * 10

    assert at_once(run, range(4)) == [0, 10, 20, 30]


def test_one_core_is_the_thread_that_asks(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert set(at_once(lambda _: threading.get_ident(), range(3))) == {threading.get_ident()}


def test_a_run_begins_while_the_next_item_is_made(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    begun = threading.Event()

    def items():
        yield 1
        assert begun.wait(timeout=60)
        yield 2

    assert at_once(lambda number: begun.set() or number, items()) == [1, 2]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_items_made_one_ahead_keep_their_order_and_raise_their_error(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert list(one_ahead(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(one_ahead([])) == []
    found = []
    with pytest.raises(ZeroDivisionError):
        found.extend(one_ahead(2 // number for number in (2, 1, 0)))
    assert found == [1, 2]


def test_the_next_item_is_made_while_one_is_worked_on(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    made = threading.Event()

    def items():
        yield "first"
        made.set()
        yield "second"
        pytest.fail("nobody asked for a third")

    ahead = one_ahead(items())
    assert next(ahead) == "first"
    assert made.wait(timeout=60)
    ahead.close()


@pytest.mark.parametrize("threads", ["1", "2", "9"])
def test_runs_ahead_keep_their_order_and_raise_their_error(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert list(ahead(lambda number: number * 10, range(7))) == [0, 10, 20, 30, 40, 50, 60]
    assert list(ahead(lambda number: number, [])) == []
    found = []
    with pytest.raises(ZeroDivisionError):
        found.extend(ahead(lambda number: 2 // number, [2, 1, 0]))
    assert found == [1, 2]


def test_no_more_are_made_ahead_than_may_wait(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "9")
    together, made = threading.Barrier(3, timeout=60), []

    def run(number):
        made.append(number)
        if number < 3:
            together.wait()
        return number

    results = ahead(run, range(100), most=3)
    assert [next(results), next(results)] == [0, 1]
    results.close()
    assert len(made) <= 5


def test_an_error_of_a_run_is_raised(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with pytest.raises(ZeroDivisionError):
        at_once(lambda number: 1 // number, [1, 0])


def test_something_runs_while_another_thing_is_done(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    begun = threading.Event()
    with meanwhile(lambda: begun.set() or threading.get_ident()) as result:
        assert begun.wait(timeout=60)
        assert result() != threading.get_ident()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with meanwhile(threading.get_ident) as result:
        assert result() == threading.get_ident()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_what_fails_meanwhile_is_told_to_him_who_asks(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    with meanwhile(lambda: 1 // 0) as result, pytest.raises(ZeroDivisionError):
        result()
    with meanwhile(lambda: 1 // 0):
        pass  # nobody asked
