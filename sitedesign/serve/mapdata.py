"""Land, lakes, borders and towns of the inhabited world for the planner's map; nothing is fetched."""

from __future__ import annotations

import json
from functools import cache

from sitedesign.report.borders import outlines
from sitedesign.serve import gazetteer

SOUTH = -60.0  # no plant stands beyond
#: Crude lines that are there at once, and those that replace them.
SKETCH, WHOLE = "c", "l"


@cache
def world(size: str = WHOLE) -> bytes:
    """Give the lines as JSON: per kind a list of lines, each a list of [latitude, longitude]. [degrees]

    Land and lakes are closed rings; states and towns come with the finer lines.
    """
    drawn = {"land": _lines("gshhs", size), "lakes": _lines("gshhs", size, level=2)}
    drawn["countries"] = _lines("countries", size)
    drawn["states"] = _lines("states", size) if size == WHOLE else []
    towns = gazetteer.labels() if size == WHOLE else []
    return json.dumps({**drawn, "towns": towns}, separators=(",", ":")).encode()


def _lines(kind: str, size: str, level: int = 1) -> list[list[list[float]]]:
    digits = 1 if size == SKETCH else 2
    return [line[:, ::-1].round(digits).tolist() for line in outlines(kind, size, SOUTH, level=level)]
