"""The designs next to the one reported: sweeps of its own study, computed when a report asks for them."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from sitedesign.api.bound_sweep import bound_frontier as frontier
from sitedesign.api.bound_sweep import bound_tradeoff as tradeoff
from sitedesign.api.certify import certify
from sitedesign.errors import Fault, InputError
from sitedesign.reliability.certificate import Certificate
from sitedesign.results.design import Design
from sitedesign.results.saved import missing_series, rebuilt_study
from sitedesign.study.study import Study
from sitedesign.util.progress import Progress

#: Shares of the load that backup must not serve, beside the shares of the study and the design.
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_NINES = (0.99, 0.995, 0.999, 0.9995)
_LEAST_UPTIME = 0.9
_ARRAYS = 9  # sizes of the array on each line of equal uptime
_GAP = 1e-3  # below the width of a line


def design_sweeps(
    design: Design, progress: Progress | None = None, study: Study | None = None
) -> dict[str, pd.DataFrame]:
    """Compute what a report shows beside a design; all with perfect foresight and no failures.

    Parameters
    ----------
    design : Design
    progress : callable, optional
        Called with one line of text now and then.
    study : Study, optional
        Its own; needed where weather or profiles came from files.

    Returns
    -------
    dict of str to DataFrame
        ``tradeoff``: panels against batteries at three uptimes. ``uptime``: cost from two nines to one more
        than asked. ``min_renewable_share``: cost of less backup.

    Raises
    ------
    InputError
        If the study's weather or profiles came from files, which a design does not hold.
    """
    study = _at_least_cost(study or _study_of(design), design)
    shares = sorted({*SHARES, *([study.min_renewable_share] if study.min_renewable_share else [])})
    found = {
        "min_renewable_share": frontier(study, "min_renewable_share", shares, gap=_GAP, progress=progress)
    }
    if study.uptime is None:  # classes have targets of their own
        found["tradeoff"] = tradeoff(study, points=_ARRAYS, gap=_GAP, progress=progress)
    else:
        lines, nines = _uptimes(study.uptime)
        found["tradeoff"] = pd.concat(
            [tradeoff(study.replace(uptime=at), points=_ARRAYS, gap=_GAP, progress=progress) for at in lines],
            ignore_index=True,
        )
        found["uptime"] = frontier(study, "uptime", nines, gap=_GAP, progress=progress)
    return {name: table for name, table in found.items() if "cost_usd_per_yr" in table}


def with_causes(design: Design, certificate: Certificate, progress: Progress | None = None) -> Certificate:
    """Give a design's certificate with the causes of what it lost, where it was made without them.

    Parameters
    ----------
    design : Design
    certificate : Certificate
        Of this design.
    progress : callable, optional

    Returns
    -------
    Certificate
        The same years and outages operated again with each cause off; as it was if it has causes or comes
        out differently.
    """
    if certificate.causes:
        return certificate
    again = certify(
        design,
        _study_of(design),
        years=certificate.weather_years,
        draws=certificate.draws,
        seed=certificate.seed,
        confidence=certificate.confidence,
        controller=certificate.controller,
        progress=progress,
    )
    same = math.isclose(again.uptime.value, certificate.uptime.value, rel_tol=0, abs_tol=1e-9)
    if not same:
        return certificate
    return replace(certificate, causes=again.causes, cause_errors=again.cause_errors, events=again.events)


def _at_least_cost(study: Study, design: Design) -> Study:
    """Sweeps ask for the least cost at a given uptime: that of the design where the optimiser chose it."""
    if study.objective == "cost":
        return study
    return study.replace(
        objective="cost", uptime=design.uptime_target or design.uptime.value, lost_compute_usd_per_rack_h=None
    )


def _uptimes(target: float) -> tuple[list[float], list[float]]:
    """Uptimes of the lines of equal uptime, and of the cost of the next nine."""
    less, more = _more_nines(target, -1), _more_nines(target, 1)
    return [*([less] if less >= _LEAST_UPTIME else []), target, more], sorted({*_NINES, target, more})


def _more_nines(uptime: float, nines: int) -> float:
    """Uptime with so many more nines: 0.999 and 1 give 0.9999."""
    return round(1 - (1 - uptime) * 10.0**-nines, 2 + nines - math.floor(math.log10(1 - uptime)))


def _study_of(design: Design) -> Study:
    """Give the study of a design back.

    Raises
    ------
    InputError
        If it was read from a file and its weather or profiles were given.
    """
    missing = missing_series(design)
    if missing:
        found = f"a design whose {', '.join(name.replace('_', ' ') for name in missing)} came from files"
        remedy = "Give sweeps={'tradeoff': sd.tradeoff(study), ...} from the study as it was solved."
        raise InputError([Fault("sweeps", found, "cannot be computed from the design", remedy)], "report()")
    return rebuilt_study(design)
