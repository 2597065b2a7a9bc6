"""Numbers over time as the text of a CSV file, a tenth of a second for a year of hours in six columns."""

from __future__ import annotations

import numpy as np
import pandas as pd


def csv_series(frame: pd.DataFrame, *, label: str, between: str) -> str:
    """Text of a table of numbers: stamps to the minute, six digits, nothing where a number is missing.

    It is what ``DataFrame.to_csv`` writes with ``float_format`` and ``date_format``, which ask of each number
    and each stamp by itself whether it is there.

    Parameters
    ----------
    frame : DataFrame of float
        Index: stamps.
    label : str
        Name of the column of stamps.
    between : str
        What stands between day and time.

    Returns
    -------
    str
    """
    head = frame.iloc[:0].to_csv(index_label=label, lineterminator="\n")
    minutes = pd.DatetimeIndex(frame.index).tz_localize(None).to_numpy().astype("datetime64[m]")
    stamps = np.datetime_as_string(minutes).tolist()
    style = ",".join(["%s", *["%.6g"] * frame.shape[1]])
    columns = (frame.iloc[:, place].tolist() for place in range(frame.shape[1]))
    rows = "".join([f"{style % row}\n" for row in zip(stamps, *columns, strict=True)])
    return head + rows.replace("nan", "").replace("T", between)
