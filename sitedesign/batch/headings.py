"""Headings of a table of sites: inputs of the question as people write them, and columns of the owner's own.

A column that no input is called like is carried through to the results. One that looks like an input with a
slip in it is refused: it would silently change nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from sitedesign.errors import Fault
from sitedesign.util.validation import unknown_keys

_ALIASES = {
    **dict.fromkeys(("lat", "latitude", "latitude_deg"), "latitude"),
    **dict.fromkeys(("lon", "lng", "long", "longitude", "longitude_deg"), "longitude"),
    **dict.fromkeys(("site", "site_name"), "name"),
}
_SLIP = 0.8  # of difflib's ratio: 'upime' is a slip of 'uptime', 'owner' is none of 'weather'
#: Inputs with fields of their own that people name without the field before the dot.
_INSIDE = ("limits", "region", "grid", "reserve")
#: Of the results of another batch, whose figures are no wishes.
_RESULTS = {"status", "cost_usd_per_yr"}


def known_name(heading: str, known: Mapping[str, str]) -> str:
    """Name of a column as the question knows it, or the heading where it knows none.

    Parameters
    ----------
    heading : str
        In any case, with spaces or hyphens.
    known : mapping of str to str
        Inputs by their names in lower case.
    """
    plain = re.sub(r"[\s\-]+", "_", heading.strip().lower())
    place = _ALIASES.get(plain) or _ALIASES.get(_without_unit(plain), "")
    return place or known.get(plain) or heading.strip()


def _without_unit(plain: str) -> str:
    """``lat`` of ``lat_(deg)``; by hand: an expression takes the square of a damaged heading's length."""
    if not plain.endswith((")", "]")):
        return plain
    return plain[: max(plain.rfind("("), plain.rfind("["), 0)].removesuffix("_") or plain


def own_columns(columns: Sequence[str], known: Collection[str]) -> tuple[list[str], list[Fault]]:
    """Columns to carry through, and those that look like an input with a slip in it.

    Parameters
    ----------
    columns : sequence of str
        As :func:`known_name` made them.
    known : collection of str
        Inputs.

    Returns
    -------
    carried : list of str
    faults : list of Fault
    """
    others = [name for name in columns if name not in known]
    results = columns_are_results(columns)
    slips = {name: meant for name in others if (meant := _meant(name, known, results))}
    faults = unknown_keys("sites", slips, known, {name: f"Did you mean {meant!r}? A column of your own "
                          "needs another name." for name, meant in slips.items()})  # fmt: skip
    return [name for name in others if name not in slips], faults


def columns_are_results(columns: Iterable[str]) -> bool:
    """Whether a table came from a batch."""
    return set(columns) >= _RESULTS


def _meant(name: str, known: Collection[str], results: bool) -> str:
    """Input that a heading looks like; empty where it looks like none."""
    plain = _without_unit(re.sub(r"[\s\-]+", "_", name.strip().lower()))
    heads = {item.partition(".")[0] for item in known if "." in item}
    if "." in name and plain.partition(".")[0] in heads:
        return next(iter(difflib.get_close_matches(plain, known, 1, 0.0)), "")
    if results:  # whose figures are called like limits
        return ""
    for head in _INSIDE:
        if "_" in plain and f"{head}.{plain}" in known:
            return f"{head}.{plain}"
    return next(iter(difflib.get_close_matches(plain, known, 1, _SLIP)), "")


def apart(name: str, taken: Collection[str]) -> str:
    """Name of a carried column beside results of the same name."""
    while name in taken:
        name = f"given_{name}"
    return name
