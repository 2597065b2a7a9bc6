"""From a design back to its question and its plant, also where it was read from a file."""

from __future__ import annotations

from typing import Any

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.errors import Fault, InputError
from sitedesign.results.design import Design
from sitedesign.results.evaluation import Evaluation
from sitedesign.study.inputs import PROFILES
from sitedesign.study.study import Study
from sitedesign.util.json_file import of_another_version

#: What a study may be given beside its fields, and a saved design names but does not hold.
SERIES = ("weather", *PROFILES)


def missing_series(design: Design) -> tuple[str, ...]:
    """Name the series that the study of a design needs and the design does not hold."""
    if isinstance(design._study, Study):
        return ()
    return tuple(name for name in SERIES if design.study.get(name))


def rebuilt_study(design: Design, **series: Any) -> Study:  # noqa: ANN401
    """Give the study of a design back: as it was solved, or from what a file holds of it.

    Parameters
    ----------
    design : Design
    **series
        Those of :func:`missing_series`.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If this version does not take what the design holds of its study.
    """
    if isinstance(design._study, Study):
        return design._study
    held = {name: value for name, value in design.study.items() if name not in SERIES}
    try:  # designs of before regions stood on the library's own
        return Study(**{"region": None} | held | series)
    except InputError as error:
        found = f"a saved study that this version does not take ({error.faults[0]})"
        remedy = of_another_version({"provenance": {"versions": design.provenance.versions}})
        raise InputError([Fault("design", found, "must be of this version", remedy)], "the design") from None


def plant_of(design: Evaluation, case: Case) -> Plant:
    """Take the plant of a design, in the order of resources and technologies of a case."""
    return Plant(
        tuple(design.resources_mw[item.name] for item in case.resources),
        design.battery_mwh,
        design.battery_mw,
        tuple(design.backup.get(item.name, 0) for item in case.backup),
        design.racks,
        tuple(design.imports_mw.get(item.name, 0.0) / item.unit_mw for item in case.imports),
        tuple(design.sinks_mw.get(item.name, 0.0) / item.unit_mw for item in case.sinks),
    )
