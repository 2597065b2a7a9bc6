"""Large data inside one HTML file: compressed, as base64 text, unpacked by the browser itself."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.report.figures.series import DAYS, DispatchSeries, series, worst_week_start
from sitedesign.results.evaluation import Evaluation

#: Resolution of the packed series: a thousandth of the largest value, finer than a screen.
LEVELS = 1000
#: Most values in the packed series: 32 years of seven hourly series. About 1 MB of the file, and
#: below 3.5 MB even for values without any pattern.
MOST_VALUES = 2_000_000
HOURS_PER_DAY = 24


@dataclass(frozen=True)
class PackedSeries:
    """Hourly dispatch of many years, small enough for a web page.

    Attributes
    ----------
    text : str
        Base64 of gzip of unsigned 16-bit integers, all low bytes, then all high bytes; columns in sequence.
    header : dict
        ``columns`` (name and value of one level), ``years`` (name and position of each), ``hours``,
        ``usable_mwh``, ``worst`` (position of the year, day from 0).
    """

    text: str
    header: dict[str, Any]


def pack(content: bytes) -> str:
    """Compress and write as base64; the same content gives the same text."""
    packed = gzip.compress(content, compresslevel=7, mtime=0)  # 9 saves 1 % and takes nine times as long
    return base64.b64encode(packed).decode("ascii")


def pack_json(content: Any) -> str:  # noqa: ANN401
    """Pack anything that JSON can hold; NaN is refused, as browsers refuse it."""
    return pack(json.dumps(content, allow_nan=False, separators=(",", ":")).encode())


def locked(page: str, *loaded: str, evaluates: bool = False) -> str:
    """Let a page run its own scripts and nothing else, and talk to nobody.

    Parameters
    ----------
    page : str
        HTML with the comment ``<!-- policy -->`` in its head.
    *loaded : str
        Text of scripts that its own scripts add.
    evaluates : bool
        Whether plotly may make code of text, as its drawing of very many points does.

    Returns
    -------
    str
        With a content security policy that names each inline script by its hash: script that gets into the
        page with some text does not run.
    """
    scripts = [*re.findall(r"<script>(.*?)</script>", page, re.DOTALL), *loaded]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in scripts]
    allowed = [f"'sha256-{text}'" for text in hashes] + (["'unsafe-eval'"] if evaluates else [])
    policy = (
        f"default-src 'none'; script-src {' '.join(allowed)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return page.replace("<!-- policy -->", meta, 1)


def pack_series(result: Evaluation) -> PackedSeries:
    """Pack the dispatch behind "any week": hourly means (energy: at the end of the hour).

    All years where they fit, else those that lose most.
    """
    data = series(result)
    columns = [
        *(f"{name}_used_mw" for name in data.resources),
        "discharge_mw",
        *(f"{name}_mw" for name in (*data.backup, *data.imports, *data.sinks)),
    ]
    columns += ["shed_mw", "curtailed_mw", "load_mw", "stored_mwh"]
    rows = _years_that_fit(data, len(columns))
    packed = []
    described = []
    for column in columns:
        hourly = _hourly(data, column)[rows]
        level = float(hourly.max()) / LEVELS or 1.0
        packed.append(np.rint(hourly.ravel() / level).astype("<u2"))
        described.append({"name": column, "level": level})
    values = np.concatenate(packed)
    worst = worst_week_start(data)
    year, day = divmod(worst // data.steps_per_day, DAYS)
    header = {
        "columns": described,
        "years": [data.years[row] for row in rows],
        "hours": DAYS * HOURS_PER_DAY,
        "usable_mwh": data.usable_mwh,
        "worst": {"year": rows.index(year) if year in rows else 0, "day": min(day, DAYS - 7)},
    }
    return PackedSeries(
        pack((values & 255).astype("u1").tobytes() + (values >> 8).astype("u1").tobytes()), header
    )


def plotly_source() -> str:
    """Give the JavaScript library that the plotly package ships."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes().decode()


def _hourly(data: DispatchSeries, column: str) -> NDArray[np.float64]:
    by_hour = data.by_year(column).reshape(len(data.years), DAYS * HOURS_PER_DAY, -1)
    values: NDArray[np.float64] = by_hour[:, :, -1] if column == "stored_mwh" else by_hour.mean(axis=2)
    return np.maximum(values, 0.0)


def _years_that_fit(data: DispatchSeries, columns: int) -> list[int]:
    most = max(1, MOST_VALUES // (columns * DAYS * HOURS_PER_DAY))
    if len(data.years) <= most:
        return list(range(len(data.years)))
    backup = sum((data.annual_mwh(f"{name}_mw") for name in data.backup), np.zeros(len(data.years)))
    order = np.lexsort((-backup, -data.annual_mwh("lost_mw")))
    worst_week = worst_week_start(data) // data.steps_per_year
    chosen = [worst_week, *(int(row) for row in order if row != worst_week)]
    return sorted(chosen[:most])
