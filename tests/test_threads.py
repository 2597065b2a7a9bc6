"""What runs in several threads can get wrong: to take all results for having stopped."""

from __future__ import annotations

from contextlib import closing
from threading import Event

import pytest

from sitedesign.util.threads import in_order


@pytest.mark.parametrize("threads", ["1", "2"])
def test_who_has_taken_every_result_has_stopped_nothing(
    monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    stopped = Event()
    with closing(in_order(lambda number: 2 * number, [1, 2], stopped)) as results:
        assert [next(results), next(results)] == [2, 4]
    assert not stopped.is_set()


def test_who_leaves_before_the_last_result_stops_what_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    stopped = Event()

    def run(number: int) -> int:
        return number if number == 0 or stopped.wait(30) else -1

    with closing(in_order(run, [0, 1, 2], stopped)) as results:
        assert next(results) == 0
    assert stopped.is_set()
