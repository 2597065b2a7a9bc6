"""The same question at another age of the plant: a worn array, a battery that holds less, a grown load."""

from __future__ import annotations

from typing import Any

from sitedesign.errors import Fault, InputError
from sitedesign.study.study import Study
from sitedesign.util.gate import Measure

#: What a study itself may say of its age.
AGE = Measure("yr", 0, 50)
LEAST_HELD = 0.3  # of a battery's nameplate: the library takes no less


def at_age(
    study: Study,
    age_years: float,
    *,
    load_growth_per_yr: float | None = None,
    battery_held: float | None = None,
) -> Study:
    """Ask a question as it stands when the plant has an age.

    Parameters
    ----------
    study : Study
    age_years : float
        Of the array, and of what grows. [yr]
    load_growth_per_yr : float, optional
        Of the power that each rack draws; that of the study when left out. [fraction/yr]
    battery_held : float, optional
        Energy that the battery then holds over nameplate; what the library counts on in every year when left
        out. [fraction]

    Raises
    ------
    InputError
        If an own profile says what the array gives or the load takes, and has one age.
    """
    faults, growth = [], load_growth_per_yr
    growth = study.load_growth_per_yr if growth is None else growth
    if study.solar_profile is not None:
        allowed = "must be left out: the study's own solar profile is of one age"
        faults.append(Fault("age_years", f"{age_years:g}", allowed, "Scale the profile instead."))
    if growth and study.load_profile is not None:
        allowed = "must be 0 with an own load profile"
        faults.append(Fault("load_growth_per_yr", f"{growth:g}", allowed, "Scale the profile instead."))
    if faults:
        raise InputError(faults, "at_age()")
    changes: dict[str, Any] = {"plant_age_yr": age_years, "load_growth_per_yr": growth}
    if battery_held is not None:
        battery = study.battery
        changes["battery"] = battery.replace(usable_fraction_at_check=max(battery_held, LEAST_HELD))
    return study.replace(**changes)
