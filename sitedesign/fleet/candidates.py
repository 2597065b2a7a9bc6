"""Candidates of a portfolio: what a batch found, and the question that its sites were asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sitedesign.api.question import one_study
from sitedesign.batch.question import Question
from sitedesign.batch.ranking import USABLE, results_frame
from sitedesign.batch.screening import solve_many
from sitedesign.batch.table import known_columns
from sitedesign.errors import Fault, InputError
from sitedesign.fleet.curves import NEEDED
from sitedesign.study.study import Study
from sitedesign.util.progress import Progress

_OF = "portfolio()"
# What a manifest cannot hold: it names a series, it does not keep it
_NAMED_ONLY = ("series (",)


def candidates_of(
    candidates: Any,  # noqa: ANN401
    study: Study | None,
    fields: Mapping[str, Any],
    progress: Progress | None,
) -> tuple[pd.DataFrame, Question | None]:
    """Rows with a design, and the question they answer where it is known.

    Raises
    ------
    InputError
        If there are none, or a column that a choice needs is missing.
    """
    asked = None if study is None and not fields else _question(study, fields)
    if _are_results(candidates):
        frame = results_frame(candidates, _OF)
        asked = asked or _of_folder(candidates)
    else:
        if asked is None:
            remedy = "Give racks and uptime of the screening: portfolio(sites, study=...)."
            fault = Fault("study", "nothing", "is needed to screen sites that have no results", remedy)
            raise InputError([fault], _OF)
        frame = solve_many(candidates, study, quiet=progress is None, progress=progress, **fields)
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        remedy = "Run the batch again with this version."
        allowed = "are needed: the costs of a site against its racks"
        raise InputError([Fault("candidates", f"no columns {', '.join(missing)}", allowed, remedy)], _OF)
    usable = frame["status"].isin(USABLE)
    for name in (*NEEDED, "latitude", "longitude"):
        usable &= pd.to_numeric(frame[name], errors="coerce").notna()
    good = frame[usable].reset_index(drop=True)
    if good.empty:
        fault = Fault("candidates", f"{len(frame):,} rows", "needs at least one site with a design")
        raise InputError([fault], _OF)
    return good, asked


def study_at(question: Question, row: Mapping[str, Any], racks: int) -> Study:
    """Ask the question at a site, for so many racks."""
    known = set(known_columns())
    cells = {
        key: value for key, value in row.items() if key in known and value is not None and value == value
    }
    study = question.study(cells)
    given = {name: None for name in ("it_mw", "gpus", "throughput") if getattr(study, name) is not None}
    accept = tuple(dict.fromkeys((*study.accept, "large_load")))
    return study.replace(racks=racks, accept=accept, **given)


def _are_results(candidates: Any) -> bool:  # noqa: ANN401
    if isinstance(candidates, pd.DataFrame):
        return "status" in candidates.columns
    if isinstance(candidates, str | Path):
        path = Path(candidates)
        if path.suffix == ".parquet" and path.is_file():
            return _has_status(path)
        return path.is_dir() or not path.exists()
    return False


def _has_status(path: Path) -> bool:
    """Whether a Parquet file is one of results, not of sites."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return "status" in pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return True  # whose reader says what is wrong with it


def _question(study: Study | None, fields: Mapping[str, Any]) -> Question:
    """Question from a study or its fields, whose place does not count."""
    if study is not None:
        study = one_study(study, dict(fields))  # says that the two do not go together
        given = {name: getattr(study, name) for name in Study.model_fields if name in study.model_fields_set}
    else:
        given = dict(fields)
    return Question({key: value for key, value in given.items() if key != "site"})


def _of_folder(candidates: Any) -> Question | None:  # noqa: ANN401
    """Question of a batch's folder; None where the manifest does not hold all of it."""
    if not isinstance(candidates, str | Path):
        return None
    path = Path(candidates) / "manifest.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))["assumptions"]["question"]
    except (OSError, ValueError, KeyError):
        return None
    text = json.dumps(fields)
    if any(word in text for word in _NAMED_ONLY) or "weather" in fields:
        return None
    return Question(fields)
