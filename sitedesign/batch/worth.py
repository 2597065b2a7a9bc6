"""What the figures of a batch are worth: bounds or certified designs, and why a site has none."""

from __future__ import annotations

import pandas as pd

BOUNDS = "bounds, not designs to build: perfect foresight, nothing fails"
CERTIFIED = "certified designs: without foresight, while equipment fails"


def worth(frame: pd.DataFrame) -> str:
    """Say in words what the figures are.

    Parameters
    ----------
    frame : DataFrame
        Results of a batch.

    Returns
    -------
    str
        Empty where the table does not say it, as one of an earlier version.
    """
    stages = set(frame["stage"].dropna()) if "stage" in frame.columns else set()
    words = [text for name, text in (("bound", BOUNDS), ("certified", CERTIFIED)) if name in stages]
    return "; some ".join(words)


def reason(error: object) -> str:
    """Why a site has no design, on one line: the faults without the words around them."""
    lines = [line.strip() for line in str(error or "").splitlines() if line.strip()]
    faults = [line.removeprefix("* ") for line in lines if line.startswith("* ")]
    return "; ".join(faults or lines) if isinstance(error, str) else ""
