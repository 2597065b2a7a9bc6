"""What use does to the battery of a plant: capacity by year, what is bought again, warranty."""

from __future__ import annotations

from sitedesign.components.battery_wear import BatteryDuty, duty_of
from sitedesign.errors import Fault, InputError
from sitedesign.results.battery_life import UPKEEPS, BatteryLife, Upkeep, life_of
from sitedesign.results.design import Design
from sitedesign.results.evaluation import Evaluation
from sitedesign.results.saved import missing_series, rebuilt_study
from sitedesign.study.study import Study
from sitedesign.util.gate import Measure, OneOf, takes

_OF = "battery_life()"


@takes(_OF, years=Measure("yr", 1, 60, whole=True), upkeep=OneOf(UPKEEPS))
def battery_life(
    design: Design | Evaluation,
    study: Study | None = None,
    *,
    years: int = 20,
    upkeep: Upkeep = "augment",
) -> BatteryLife:
    """Follow the battery of a plant through its years of use.

    Cycles are counted by rainflow on the certified operator's dispatch where there is a certificate, else on
    that of the design; calendar and cycle wear are those of a published model
    (:mod:`sitedesign.components.battery_wear`).

    Parameters
    ----------
    design : Design or Evaluation
        From :func:`solve` or :func:`evaluate`, with a battery.
    study : Study, optional
        Needed for an evaluation, and for a design that was read from a file when its weather or a profile was
        given; else taken from the design.
    years : int
        [yr]
    upkeep : {'augment', 'replace', 'none'}
        Whether energy is added before the battery holds less than the plant counts on, all of it is replaced
        before its end of life, or nothing is done.

    Returns
    -------
    BatteryLife

    Raises
    ------
    InputError
        If there is no battery, or nothing says how it is used.

    Examples
    --------
    >>> life = sd.battery_life(with_battery)
    >>> bool((life.table()["year"].diff().dropna() > 0).all())
    True
    """
    if not isinstance(design, Evaluation):
        fault = Fault("design", repr(type(design).__name__), "must be a Design or an Evaluation")
        raise InputError([fault], _OF)
    asked = study_of(design, study)
    duty = _duty_of(design, asked)
    if duty is None:
        fault = Fault(
            "design.battery_mwh", f"{design.battery_mwh:g} MWh", "must be above 0", "There is no battery."
        )
        raise InputError([fault], _OF)
    return life_of(asked.battery, asked.finance, design.battery_mwh, duty, years, upkeep)


def study_of(design: Evaluation, study: Study | None) -> Study:
    """Find the study that goes with a design."""
    if study is not None:
        if not isinstance(study, Study):
            raise InputError([Fault("study", repr(type(study).__name__), "must be a sitedesign.Study")], _OF)
        return study
    if isinstance(design, Design) and not missing_series(design):
        return rebuilt_study(design)
    fault = Fault("study", "nothing", "is needed here", "Give study=... as it was solved.")
    raise InputError([fault], _OF)


def _duty_of(design: Evaluation, study: Study) -> BatteryDuty | None:
    """Use of the battery: as certified, else as in the design's own years."""
    certificate = design.certificate if isinstance(design, Design) else None
    if certificate is not None and certificate.battery_duty is not None:
        return certificate.battery_duty
    if design._dispatch is None:
        remedy = "Solve or evaluate it again, or certify it."
        raise InputError(
            [Fault("design", "no dispatch, as it was read from a file", "is needed", remedy)], _OF
        )
    stored = design.dispatch["stored_mwh"].to_numpy(dtype=float)
    battery = study.battery
    window = design.battery_mwh * battery.usable_fraction_at_check * (1.0 - battery.soc_min_fraction)
    usable = 0.0 * stored + window
    return duty_of(stored, usable, design.battery_mwh, len(design.provenance.weather_years))
