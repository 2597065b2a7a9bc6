"""Is that what was meant? Places, sizes and prices that may be slips: asked back, or said with the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sitedesign.components.wind import wind_faults as hub_faults
from sitedesign.errors import Fault, nearest, unknown_name
from sitedesign.library import Backup, Wind
from sitedesign.study.grid import Grid
from sitedesign.study.limits import Limits
from sitedesign.study.surplus import Surplus
from sitedesign.weather.climate.wind import wind_climate_fault
from sitedesign.weather.site import FARTHEST_KM, Site, distance_km
from sitedesign.weather.weather import Weather

#: Country whose prices, taxes and lead times the library holds (ISO 3166).
PRICES_OF = "US"
#: The largest campuses announced by the end of 2025 (Hyperion, Stargate UAE) are of 5 GW. [MW]
LARGEST_CAMPUS_MW = 5000.0
#: A target below it is a share in which most people would see a slip. [fraction]
LOW_UPTIME = 0.5
#: What is asked back, and is meant when `Study.accept` names it.
DOUBTS = ("large_load", "weather_flags")


def accept_faults(accept: tuple[str, ...]) -> list[Fault]:
    """Faults of names that nothing asks for."""
    return [unknown_name("study.accept", name, DOUBTS) for name in accept if name not in DOUBTS]


def load_faults(it_mw: float, asked: dict[str, float], accept: tuple[str, ...]) -> list[Fault]:
    """Ask a load back that is larger than any campus.

    Parameters
    ----------
    it_mw : float
        Contracted IT load. [MW]
    asked : dict of str to float
        The contract as it was given: one of ``racks``, ``it_mw``, ``gpus``.
    accept : tuple of str
        Doubts that the user has answered.
    """
    if it_mw <= LARGEST_CAMPUS_MW or "large_load" in accept:
        return []
    name, amount = next(iter(asked.items()), ("classes", 0.0))
    slip = {
        "it_mw": f"Were these kW? Then it_mw={amount / 1000:g}. ",
        "racks": f"Were these GPUs? Then gpus={amount:.0f}. ",
    }
    remedy = f"{slip.get(name, '')}If it is meant, say so: accept=['large_load']."
    allowed = f"must not be more than the largest campus announced so far ({LARGEST_CAMPUS_MW:,.0f} MW)"
    return [Fault(f"study.{name}", f"{it_mw:,.0f} MW of IT load", allowed, remedy)]


def weather_faults(site: Site, weather_site: Site) -> list[Fault]:
    """Refuse weather of another place."""
    distance = distance_km(site.latitude, site.longitude, weather_site.latitude, weather_site.longitude)
    if distance <= FARTHEST_KM:
        return []
    found = f"weather of {weather_site.place}, {distance:,.0f} km from the site ({site.place})"
    remedy = "Take weather of the site, or site=weather.site to study the place of the weather."
    return [Fault("study.weather", found, f"must be within {FARTHEST_KM:.0f} km of the site", remedy)]


def flag_faults(doubts: tuple[str, ...], accept: tuple[str, ...]) -> list[Fault]:
    """Ask weather back that its reader doubts by more than 2 % of the year's energy.

    Parameters
    ----------
    doubts : tuple of str
        Flags of the weather, ``weather.source.doubts``.
    accept : tuple of str
        Doubts that the user has answered.
    """
    if not doubts or "weather_flags" in accept:
        return []
    shown = "; ".join(doubts[:3]) + (f"; and {len(doubts) - 3} more" if len(doubts) > 3 else "")
    allowed = "must not be in doubt by more than 2 % of the year's energy (see weather.quality)"
    remedy = "Correct the file. If the weather is right as it is, say so: accept=['weather_flags'] "
    remedy += "(in the shell --accept weather_flags)."
    return [Fault("study.weather", f"weather with flags: {shown}", allowed, remedy)]


def notes(site: Site, uptime: float | None) -> tuple[str, ...]:
    """Say with the result what a reader would ask about: prices of elsewhere, a target that may be a slip."""
    said = []
    if site.country not in (PRICES_OF, ""):
        mirrored = _mirrored(site)
        said.append(
            f"Prices, taxes and lead times of the library are those of the United States; the site lies in "
            f"{site.country_name}. Replace what differs there.{mirrored}"
        )
    if uptime is not None and uptime < LOW_UPTIME:
        said.append(
            f"The target is an uptime of {uptime * 100:.4g} %; a fraction was meant? 0.999 is 99.9 %."
        )
    return tuple(said)


def _mirrored(site: Site) -> str:
    """Ask for the sign of a longitude that would lie at home with the other."""
    other = Site.on_land(site.latitude, -site.longitude)
    if other is None or other.country != PRICES_OF:
        return ""
    return (
        f" With longitude {-site.longitude:g} it would lie in the United States: was a minus sign left out?"
    )


def wind_faults(
    site: Site, weather: Weather | None, turbines: Sequence[Wind], *, own_sun: bool
) -> list[Fault]:
    """Say why the wind of a study has no series, or one of other years than its sun's.

    Parameters
    ----------
    site : Site
    weather : Weather or None
        None where it will be generated.
    turbines : sequence of Wind
    own_sun : bool
        Whether solar production is the user's own profile.
    """
    if not turbines:
        return []
    if own_sun:
        remedy = "Give `weather` with sun and wind of the same years in its place, or leave wind out."
        found = "wind beside an own solar profile"
        return [Fault("study.wind", found, "wind and sun must be of the same days", remedy)]
    if weather is None:
        fault = wind_climate_fault(site)
        return [] if fault is None else [replace(fault, where="study.wind")]
    faults = [fault for turbine in turbines for fault in hub_faults(weather, turbine)]
    return [replace(fault, where="study.wind") for fault in faults]


def grid_faults(
    grid: Grid | None, limits: Limits, co2_price_usd_per_t: float, others: Sequence[Backup | Wind]
) -> list[Fault]:
    """Say what a connection lacks for CO2 that is limited or priced, where it is late, whose name it takes.

    Parameters
    ----------
    grid : Grid or None
    limits : Limits
    co2_price_usd_per_t : float
        [USD/t]
    others : sequence of Backup and Wind
        What else may be built.
    """
    if grid is None:
        return []
    faults = [
        Fault("study.grid", f"beside equipment named {item.name!r}", "that name is taken", "Rename it.")
        for item in others
        if item.name in ("grid", "sale")
    ]
    late = limits.months_to_power is not None and grid.months_to_energise > limits.months_to_power
    faults += [
        Fault(
            f"study.grid.{name}",
            f"at least {size[0]:g} MW, energised after {grid.months_to_energise:g} months",
            f"the study allows {limits.months_to_power:g} months to power",
            "Ask for no least power, or allow the months.",
        )
        for name, size in (("mw", grid.mw), ("export_mw", grid.export_mw))
        if late and size is not None and size[0] > 0
    ]
    if grid.co2_t_per_mwh is None and (limits.co2_t_per_yr is not None or co2_price_usd_per_t > 0):
        which = "limited" if limits.co2_t_per_yr is not None else "priced"
        remedy = "Give the emissions of the power drawn in t/MWh; 0 is a number."
        faults.append(Fault("study.grid.co2_t_per_mwh", "nothing", f"is needed: CO2 is {which}", remedy))
    return faults


#: What energies, sizes and columns of a result are called already.
_TAKEN = ("grid", "sale", "load", "solar", "battery", "backup", "charge", "discharge", "battery_charge",
          "battery_discharge", "curtailed", "shed", "stored", "best_effort", "racks", "hall", "delay", "wind",
          "lost_compute")  # fmt: skip


def surplus_faults(
    surplus: Sequence[Surplus], others: Sequence[Backup | Wind], classes: Sequence[str]
) -> list[Fault]:
    """Say whose name somebody takes who may take surplus.

    Parameters
    ----------
    surplus : sequence of Surplus
    others : sequence of Backup and Wind
        What else may be built.
    classes : sequence of str
        Names of the classes of load.
    """
    taken = {*_TAKEN, *(item.name for item in others), *classes}
    names = [item.label for item in surplus]
    faults = []
    for number, name in enumerate(names):
        where = f"study.surplus[{number}].name"
        if name in names[:number]:
            faults.append(Fault(where, f"{name!r} twice", "each needs a name of its own", "Give name=..."))
        elif name in taken:
            faults.append(Fault(where, repr(name), "that name is taken", "Give name=..."))
    return faults


def rule_faults(named: Iterable[str], names: Sequence[str]) -> list[Fault]:
    """Say where rules are given of units that may not be built.

    Parameters
    ----------
    named : iterable of str
        Technologies with rules.
    names : sequence of str
        Technologies of the study.
    """
    allowed = f"must be a technology of this study: {', '.join(names) or 'none'}"
    return [
        Fault(f"study.unit_rules.{name}", repr(name), allowed, nearest(name, names))
        for name in named
        if name not in names
    ]


def tank_faults(tank_h: Iterable[str], names: Sequence[str], field: str = "tank_h") -> list[Fault]:
    """Say where a tank, or what is brought into one, is asked for that nothing burns from.

    Parameters
    ----------
    tank_h : iterable of str
        Technologies of which it is asked.
    names : sequence of str
        Technologies that burn from a tank.
    field : str
        Of the study.
    """
    allowed = f"must be a technology of this study that burns from a tank: {', '.join(names) or 'none'}"
    return [
        Fault(f"study.{field}.{name}", repr(name), allowed, nearest(name, names))
        for name in tank_h
        if name not in names
    ]
