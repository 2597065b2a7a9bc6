"""Units of the model's components: attached where somebody checks them, and only there.

Pyomo keeps its units in pint, whose registry takes longer to load than the master problem to build.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pyomo.environ as pyo

_attached = ContextVar("attached", default=False)
_NAMES = {"kUSD": "KUSD", "t": "metric_ton", "yr": "year"}  # what pint calls otherwise


@contextmanager
def units_attached() -> Iterator[None]:
    """Attach units to whatever is declared inside, so that Pyomo can check them; needs pint."""
    known = pyo.units
    if not hasattr(known, "KUSD"):  # the registry is one per process
        known.load_definitions_from_strings(["USD = [currency]", "KUSD = 1e3 * USD"])
    before = _attached.set(True)
    try:
        yield
    finally:
        _attached.reset(before)


def unit(text: str) -> Any:  # noqa: ANN401 - Pyomo's own
    """Return a unit as Pyomo knows it; None where no units are attached.

    Parameters
    ----------
    text : str
        As the table of symbols writes it, such as ``"MWh/yr"``; empty for a number without a unit.

    Returns
    -------
    pyomo unit expression or None
    """
    if not text or not _attached.get():
        return None
    first, *below = (getattr(pyo.units, _NAMES.get(name, name)) for name in text.split("/"))
    for one in below:
        first = first / one
    return first
