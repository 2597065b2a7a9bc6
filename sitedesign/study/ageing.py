"""The same question at another age of the plant: a worn array, a battery that holds less, a grown load."""

from __future__ import annotations

from typing import Any

from sitedesign.errors import Fault, InputError
from sitedesign.study.study import Study
from sitedesign.util.gate import Measure

#: What a study itself may say of its age.
AGE = Measure("yr", 0, 50)
GROWTH = Measure("fraction/yr", -0.2, 0.5)
LEAST_HELD = 0.3  # of a battery's nameplate: the library takes no less


def at_age(
    study: Study, age_years: float, *, load_growth_per_yr: float = 0.0, battery_held: float | None = None
) -> Study:
    """Ask a question as it stands when the plant has an age.

    Parameters
    ----------
    study : Study
    age_years : float
        Of the array, and of what grows. [yr]
    load_growth_per_yr : float
        Of the power that each rack draws; the number of racks stays. [fraction/yr]
    battery_held : float, optional
        Energy that the battery then holds over nameplate; what the library counts on in every year when left
        out. [fraction]

    Raises
    ------
    InputError
        If an own profile says what the array gives or the load takes, and has one age; or classes grow.
    """
    faults = []
    if study.solar_profile is not None:
        allowed = "must be left out: the study's own solar profile is of one age"
        faults.append(Fault("age_years", f"{age_years:g}", allowed, "Scale the profile instead."))
    if load_growth_per_yr and (study.load_profile is not None or study.classes):
        what = "own load profile" if study.load_profile is not None else "classes of load"
        allowed = f"must be 0 with {what}"
        faults.append(Fault("load_growth_per_yr", f"{load_growth_per_yr:g}", allowed, "Scale them instead."))
    if faults:
        raise InputError(faults, "at_age()")
    changes: dict[str, Any] = {"plant_age_yr": age_years}
    grown = (1.0 + load_growth_per_yr) ** age_years
    if grown != 1.0:
        changes["rack"] = study.rack.replace(power_kw=study.rack.power_kw * grown)
        if study.it_mw is not None:
            changes["it_mw"] = study.it_mw * grown
    if battery_held is not None:
        battery = study.battery
        changes["battery"] = battery.replace(usable_fraction_at_check=max(battery_held, LEAST_HELD))
    return study.replace(**changes)
