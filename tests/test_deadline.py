"""A time limit shared by several solves."""

from __future__ import annotations

import time

import pytest

from sitedesign.util.deadline import LEAST_S, Deadline


def test_what_remains_is_never_nothing_and_no_limit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: 100.0)
    limit, none = Deadline.after(3.0), Deadline.after(None)
    assert limit.remaining_s == 3.0
    monkeypatch.setattr(time, "perf_counter", lambda: 102.5)
    assert limit.remaining_s == 0.5
    monkeypatch.setattr(time, "perf_counter", lambda: 200.0)
    assert limit.remaining_s == LEAST_S
    assert none.remaining_s is None
