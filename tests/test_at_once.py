"""Runs in threads: in order, at the same time, and no more of them than asked for."""

from __future__ import annotations

import threading

import pytest

from sitedesign.util.threads import at_once


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


def test_an_error_of_a_run_is_raised(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with pytest.raises(ZeroDivisionError):
        at_once(lambda number: 1 // number, [1, 0])
