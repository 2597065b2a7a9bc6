"""Several runs at once, in threads: what takes the time are compiled kernels, which hold no lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_PATIENCE_S = 1.0  # between looks at whether a run has ended: Windows delivers no Ctrl-C to an endless wait


def at_once(run: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Run a function on every item, as many at a time as there are cores.

    ``OMP_NUM_THREADS`` says how many where it is set: the workers of a batch have one core each that way.

    Parameters
    ----------
    run : callable
        Changes nothing that another run reads.
    items : iterable
        Each is run as soon as it is given, while the next are still made.

    Returns
    -------
    list
        Results in the order of the items, the same with any number of threads.
    """
    threads = cores()
    if threads == 1:
        return [run(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, items))


def in_order(
    run: Callable[[Item], Result], items: Iterable[Item], stopped: Event | None = None
) -> Generator[Result]:
    """Run a function on every item like :func:`at_once`, and give each result when its turn comes.

    Parameters
    ----------
    run : callable
        Changes nothing that another run reads.
    items : iterable
    stopped : threading.Event, optional
        Set when nobody asks for results any longer, for example after Ctrl-C: runs that look at it may end.

    Yields
    ------
    object
    """
    threads = cores()
    if threads == 1:
        yield from map(run, items)
        return
    pool, asked = ThreadPoolExecutor(threads), list[Future[Result]]()
    try:
        asked += [pool.submit(run, item) for item in items]
        for running in asked:
            while not wait([running], timeout=_PATIENCE_S).done:
                pass
            yield running.result()
    except BaseException:
        # Who closes it after the last result has stopped nothing
        if stopped is not None and not all(running.done() for running in asked):
            stopped.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Give items in their order; with several cores, the next is made while one is worked on.

    Parameters
    ----------
    items : iterable
        What it does, nobody else does meanwhile.

    Yields
    ------
    object
    """
    if cores() == 1:
        yield from items
        return
    source, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, source, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, source, end)
            yield item  # type: ignore[misc]  # not the end


@contextmanager
def meanwhile(run: Callable[[], Result]) -> Iterator[Callable[[], Result]]:
    """Run something while the caller does something else; with one core, when its result is asked for.

    Parameters
    ----------
    run : callable
        Changes nothing that the caller reads, and reads nothing that he changes.

    Yields
    ------
    callable
        Gives the result, or raises what the run has raised.
    """
    if cores() == 1:
        yield run
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run).result


def ahead(run: Callable[[Item], Result], items: Iterable[Item], most: int = 4) -> Generator[Result]:
    """Run a function on every item and give the results in order; some are made before they are asked for.

    As many at a time as there are cores, and `most` at the most: results that wait take memory.

    Parameters
    ----------
    run : callable
        Changes nothing that another run reads.
    items : iterable
    most : int

    Yields
    ------
    object
    """
    threads = min(cores(), most)
    if threads == 1:
        yield from map(run, items)
        return
    source = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        coming = deque(pool.submit(run, item) for item in islice(source, threads))
        while coming:
            result = coming.popleft().result()
            coming.extend(pool.submit(run, item) for item in islice(source, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Cores that this process may use; ``OMP_NUM_THREADS`` where it is set."""
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
