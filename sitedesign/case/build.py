"""From a study to its arrays, a :class:`~sitedesign.case.case.Case`: weather, yield, load, costs, bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np

from sitedesign import library
from sitedesign.case import capacity_bounds
from sitedesign.case.case import (
    FLOOR_SHARE,
    BackupCase,
    Case,
    ClassShare,
    FloatArray,
    PriceLevel,
    Resource,
    Tier,
)
from sitedesign.case.grid_supply import (
    GRID,
    SALE,
    Clock,
    GridSupply,
    OtherYears,
    grid_supply,
    import_case,
    sale_case,
)
from sitedesign.case.limits import ANNUAL_LIMITS, CaseLimits
from sitedesign.case.rack_shortfall import racks_needed
from sitedesign.case.reserve import ReserveRule
from sitedesign.case.surplus_sink import SurplusSink, surplus_sinks
from sitedesign.case.throttling_tiers import shared_tiers, throttle_tiers
from sitedesign.case.wind_farm import wind_farm
from sitedesign.components.backup import backup_capability, mean_heat_rate_factor
from sitedesign.components.lead_times import backup_months
from sitedesign.components.load import load_mw, pue
from sitedesign.components.own_profile.profile import Beside, Profile, count_years, read_profile
from sitedesign.components.pv import solar_yield
from sitedesign.errors import Fault, InputError
from sitedesign.finance import annual_cost
from sitedesign.library import Backup
from sitedesign.study import plausibility
from sitedesign.study.demand import Contract
from sitedesign.study.limits import Limits
from sitedesign.study.study import Study
from sitedesign.weather.weather import Weather

Kind = Literal["solar", "load"]
KINDS: tuple[Kind, ...] = ("solar", "load")
#: The user's own profiles, by kind.
Own = Mapping[Kind, Profile]
ONE_YEAR_NOTE = (
    "One weather year says nothing about rare dark spells: its uptime figure is no basis for a promise."
)
# Without a target, spares are considered up to a shortfall of a millionth of the contracted racks: the next
# one would serve less than a rack of work unless a million are contracted.
MOST_USEFUL_UPTIME = 0.999
# Times the peak load: what a connection that is there a tenth of the time needs to carry it alone.
MOST_IMPORT = 10
TMY_NOTE = (
    "The weather is a typical meteorological year, which contains no extreme spells by construction: "
    "it is no basis for uptime."
)


@dataclass(frozen=True)
class UnitCosts:
    """Annual cost of one MWdc, MWh, MW, backup unit (in the order of the study) and rack.

    `backup_site` is what each technology costs once when any unit of it is built; `wind` is of one MW of
    each turbine; `ride_through` is that of all contracted racks, nothing where the hall brings it.
    """

    solar: annual_cost.AnnualCost
    battery_energy: annual_cost.AnnualCost
    battery_power: annual_cost.AnnualCost
    backup: tuple[annual_cost.AnnualCost, ...]
    backup_site: tuple[annual_cost.AnnualCost, ...]
    rack: annual_cost.AnnualCost
    wind: tuple[annual_cost.AnnualCost, ...] = ()
    ride_through: annual_cost.AnnualCost = annual_cost.NOTHING


@dataclass(frozen=True, eq=False)
class StudyCase:
    """A study with the weather it stands on and the case made of both.

    Attributes
    ----------
    study : Study
    weather : Weather
    unit_costs : UnitCosts
    case : Case
    notes : tuple of str
        What a reader of the result must know about the inputs.
    grid : GridSupply or None
        Connection to the grid on the weather years of the case.
    surplus : tuple of SurplusSink
        Who may take surplus, the last of the case's sinks, in the order of the study.
    drawn : dict of int to object, optional
        Further weather years that were drawn to search on, by their seed: cases of the study that differ in
        their racks and bounds share them. Not kept when left out.
    known_weather : mapping of int to Weather, optional
        Weather of further years by their seed, drawn already: studies of the same place share it.
    """

    study: Study
    weather: Weather
    unit_costs: UnitCosts
    case: Case
    notes: tuple[str, ...]
    grid: GridSupply | None = None
    surplus: tuple[SurplusSink, ...] = ()
    drawn: dict[int, Any] | None = None
    known_weather: Mapping[int, Weather] | None = None

    @property
    def weather_flags(self) -> tuple[str, ...]:
        """What the reader of the weather files found suspicious."""
        return self.weather.source.flags


def build_case(study: Study, rows: Sequence[int] | None = None) -> StudyCase:
    """Build the case of a study.

    Parameters
    ----------
    study : Study
    rows : sequence of int, optional
        Weather years to use, by position; all when left out.

    Raises
    ------
    InputError
        If weather or a profile does not fit the study.
    """
    weather = weather_of(study)
    if rows is not None:
        weather = weather.subset(rows)
    return build_case_on(study, weather, unit_costs(study))


def build_case_on(study: Study, weather: Weather, costs: UnitCosts) -> StudyCase:
    """Build the case of a study on weather years and costs that are already known."""
    own = _own_profiles(study, weather)
    case = _case_of(study, weather, costs, own)
    notes = _notes(study, weather, own)
    case, grid, surplus = _exchanging(study, weather, case)
    if grid is not None:
        notes += _grid_notes(study, grid)
    notes += _surplus_notes(surplus)
    return StudyCase(study, weather, costs, case, notes, grid, surplus)


def on_other_years(made: StudyCase, study: Study, weather: Weather, other: OtherYears) -> StudyCase:
    """Put a study on other weather years than its own, to operate plants in them.

    What does not depend on the years is taken from the study's own case, bounds included: of other years none
    are derived, and nothing is noted.

    Parameters
    ----------
    made : StudyCase
        Of the study on its own years.
    study : Study
        The same study, without profiles of the user's own.
    weather : Weather
        Of the other years.
    other : OtherYears
        What the connection and the takers of surplus take from the study's own.
    """
    case = _case_of(study, weather, made.unit_costs, {}, like=made.case)
    case, grid, surplus = _exchanging(study, weather, case, other)
    return StudyCase(study, weather, made.unit_costs, case, (), grid, surplus)


def _exchanging(
    study: Study, weather: Weather, case: Case, other: OtherYears | None = None
) -> tuple[Case, GridSupply | None, tuple[SurplusSink, ...]]:
    """Put the connection and who may take surplus on the bus of a case."""
    clock = Clock(weather.years, weather.step_minutes, study.site.timezone, weather.utc_offset_h)
    grid = _grid(study, weather, clock, case, other)
    if grid is not None:
        case = _connected(study, case, grid)
    surplus = surplus_sinks(study, weather, clock, case.load_mw, other)
    return (_with_surplus(case, surplus) if surplus else case), grid, surplus


def _with_surplus(case: Case, surplus: Sequence[SurplusSink]) -> Case:
    """Put who may take surplus on the bus of a case, behind the sale to the grid."""
    bounded = {f"sinks.{item.case.name}" for item in surplus}
    return replace(case, sinks=(*case.sinks, *(item.case for item in surplus)), given=case.given | bounded)


def _surplus_notes(surplus: Sequence[SurplusSink]) -> tuple[str, ...]:
    said = tuple(f"Surplus: {note}." for item in surplus for note in item.notes)
    return said + tuple(
        f"Surplus: {item.case.name} may take up to {item.case.units_max:,.1f} MW, the peak of the contracted "
        "load; give mw for another bound."
        for item in surplus
        if item.asked.mw is None and item.asked.racks is None
    )


def _grid(
    study: Study, weather: Weather, clock: Clock, case: Case, other: OtherYears | None
) -> GridSupply | None:
    """Put the connection on the weather years; calls and outages are drawn with the study's seed."""
    if study.grid is None:
        return None
    load_mw = case.load_mw.reshape(case.years, -1)
    temp, finance = weather.temp_air_c, study.finance
    return grid_supply(study.grid, clock, temp, finance, seed=study.seed, load_mw=load_mw, other=other)


def _connected(study: Study, case: Case, supply: GridSupply) -> Case:
    """Put the connection on the bus of a case: import as a supply, sale as a sink."""
    grid = study.grid
    assert grid is not None
    most_mw = MOST_IMPORT * float(case.load_mw.max())
    sale = sale_case(supply, SALE)
    latest = study.limits.months_to_power
    if sale is not None and latest is not None and supply.months > latest:
        sale = replace(sale, units_max=0.0)  # nothing is fed into wires that are not there
    given = {f"imports.{GRID}"} if grid.import_mw is not None else set()
    return replace(
        case,
        imports=(import_case(supply, most_mw, grid.co2_t_per_mwh or 0.0, GRID, study.co2_price_usd_per_t),),
        sinks=() if sale is None else (sale,),
        given=case.given | given | ({f"sinks.{SALE}"} if sale is not None else set()),
    )


def _grid_notes(study: Study, supply: GridSupply) -> tuple[str, ...]:
    said = tuple(f"Grid: {note}." for note in supply.notes)
    if study.grid is None or study.grid.co2_t_per_mwh is None:
        said += ("Grid: co2_t_per_mwh is not known; the CO2 is that of the backup alone.",)
    return said


def weather_of(study: Study) -> Weather:
    """Weather of a study: its own, or generated with its seed."""
    if study.weather is not None:
        if study.step_minutes not in (None, study.weather.step_minutes):
            allowed = f"the weather has steps of {study.weather.step_minutes} min"
            remedy = "Leave step_minutes out, or generate weather with the step you want."
            raise InputError(
                [Fault("study.step_minutes", f"{study.step_minutes}", allowed, remedy)], "solve()"
            )
        return study.weather
    years, step = study.weather_years, study.step_minutes or 60
    if study.solar_profile is not None:
        # The weather then only gives temperatures, for as many years as the profile has.
        years = count_years(study.solar_profile, "solar", study.site)
    return Weather.generate(
        study.site, years=years, seed=study.seed, step_minutes=step, wind=bool(study.wind)
    )


def unit_costs(study: Study, in_service: date | None = None) -> UnitCosts:
    """Annualise what can be built at the place, with the tax credits of the study's dates or of another."""
    finance, battery = study.local(study.finance), study.local(study.battery)
    served = in_service or study.in_service

    def credit(kind: str) -> float:
        return library.itc_fraction(kind, study.construction_start, served, finance)

    return UnitCosts(
        solar=annual_cost.solar_cost(study.local(study.pv), finance, credit("pv")),
        battery_energy=annual_cost.battery_energy_cost(battery, finance, credit("battery")),
        battery_power=annual_cost.battery_power_cost(battery, finance, credit("battery")),
        backup=tuple(
            annual_cost.backup_unit_cost(
                study.local(item), study.fuel(item), finance, credit(item.tax_credit), study.second_fuel(item)
            )
            for item in study.backup
        ),
        backup_site=tuple(annual_cost.backup_site_cost(item, finance) for item in study.backup),
        rack=annual_cost.rack_cost(study.rack, finance),
        wind=tuple(annual_cost.wind_cost(study.local(item), finance, credit("wind")) for item in study.wind),
        ride_through=(
            annual_cost.ride_through_cost(study.facility, finance, study.contracted_it_mw)
            if study.ride_through == "ups"
            else annual_cost.NOTHING
        ),
    )


def _case_of(study: Study, weather: Weather, costs: UnitCosts, own: Own, like: Case | None = None) -> Case:
    """Reduce a study to arrays on the given weather years and the user's own profiles.

    `like`: case of the study on other years, whose bounds hold; None derives them from these.
    """
    load_share, tiers = _load_and_tiers(study, weather)
    load = _on_weather(own["load"], weather) if "load" in own else _load(study, weather)
    load = load * load_share
    solar = _on_weather(own["solar"], weather) if "solar" in own else _solar(study, weather)
    battery = study.battery
    usable = battery.usable_fraction_at_check * (1 - battery.soc_min_fraction)
    eta = float(np.sqrt(battery.round_trip_efficiency))
    known = (None,) * len(study.backup) if like is None else tuple(item.units_max for item in like.backup)
    backup = tuple(
        _backup(study, item, weather, load, cost, site, most)
        for item, cost, site, most in zip(study.backup, costs.backup, costs.backup_site, known, strict=True)
    )
    farms_mw: tuple[float | None, ...] = (None,) * len(study.wind)
    if like is None:
        derived = capacity_bounds.capacity_bounds(solar, load, weather.step_h, usable, eta)
    else:
        derived = capacity_bounds.bounds_of(like)
        farms_mw = tuple(item.bounds_mw[1] for item in like.resources[1:])
    racks = study.contracted_racks
    availability = study.rack.availability
    strictest = max(item.uptime for item in study.contracts) or MOST_USEFUL_UPTIME
    racks_max = racks_needed(racks, availability, 1 - strictest)
    if study.limits.racks is not None:
        racks_max = int(study.limits.racks[1])
    return Case(
        name=study.site.name,
        step_h=weather.step_h,
        years=len(weather.years),
        resources=(
            _array(study, solar, costs.solar, derived.solar_mw),
            *(
                wind_farm(study, weather, turbine, cost, load, study.limits.wind_mw.get(turbine.name), most)
                for turbine, cost, most in zip(study.wind, costs.wind, farms_mw, strict=True)
            ),
        ),
        load_mw=load,
        usable=np.full(load.size, usable),
        eta_charge=eta,
        eta_discharge=eta,
        backup=backup,
        tiers=tiers,
        battery_cost_usd_per_mwh_yr=costs.battery_energy.total_usd_per_yr,
        battery_cost_usd_per_mw_yr=costs.battery_power.total_usd_per_yr,
        battery_lead_months=battery.lead_months,
        racks_contracted=racks,
        racks_max=racks_max,
        racks_min=0 if study.limits.racks is None else int(np.ceil(study.limits.racks[0])),
        rack_availability=availability,
        rack_cost_usd_per_yr=costs.rack.total_usd_per_yr,
        uptime_target=study.target,
        delay_cost_usd_per_month_yr=study.delay_cost_usd_per_month
        * annual_cost.capital_recovery_factor(study.finance.wacc_power_real, study.finance.analysis_yr),
        limits=_limits(study, derived),
        load_classes=_load_classes(study),
        given=_given(study.limits),
        reserve=_reserve(study),
        fixed_usd_per_yr=costs.ride_through.total_usd_per_yr,
    )


def _reserve(study: Study) -> ReserveRule | None:
    """Take from a study what has to be held."""
    asked = study.reserve
    if asked is None:
        return None
    return ReserveRule(
        asked.n_minus,
        asked.load_step_mw,
        asked.spinning_share,
        asked.resource_share,
        asked.hold_minutes / 60,
        asked.battery_alone,
        asked.short_h_per_yr,
    )


def weather_notes(weather: Weather) -> tuple[str, ...]:
    """Say what a reader must know about weather years before trusting an uptime made of them."""
    notes = [*weather.source.notes, *(f"Flag of the weather: {flag}." for flag in weather.source.flags)]
    if weather.source.is_tmy:
        notes.append(TMY_NOTE)
    elif len(weather.years) == 1:
        notes.append(ONE_YEAR_NOTE)
    if weather.source.kind == "generated":
        notes.append("Generated weather is a screening source; size on a measured record before you build.")
    return tuple(notes)


def _notes(study: Study, weather: Weather, own: Own) -> tuple[str, ...]:
    said = plausibility.notes(study.site, study.uptime)
    share = power_share(study, weather)
    if share < 1.0:
        shared = (
            f"All {study.sharing_racks} racks share the work: at full throughput the load is {share:.1%} of "
        )
        said += (f"{shared}that of the contracted racks at full power.",)
    region = (study.region_words,) if study.region_words else ()
    return said + _idle_notes(study) + _source_notes(study, weather, own) + region


def _idle_notes(study: Study) -> tuple[str, ...]:
    """Name what the user has set in vain: numbers of the library that nothing reads yet."""
    burnt = (fuel for item in study.backup for fuel in (study.fuel(item), study.second_fuel(item)) if fuel)
    fuels = {fuel.name: fuel for fuel in burnt}.values()
    entries = (study.rack, study.pv, study.battery, study.facility, study.finance, *study.backup, *study.wind)
    entries = (*entries, *fuels)
    return tuple(
        f"{item.kind} {item.name}: {', '.join(names)} changed, but nothing reads it yet: no answer changes."
        for item in entries
        if (names := item.idle_changes())
    )


def _source_notes(study: Study, weather: Weather, own: Own) -> tuple[str, ...]:
    said = tuple(_profile_note(profile) for profile in own.values())
    if study.solar_profile is None:
        return (*weather_notes(weather), *said)
    own_sun = "Solar production is the user's own profile; the weather only gives air temperatures."
    return (own_sun, *([ONE_YEAR_NOTE] if len(weather.years) == 1 else []), *said)


def _profile_note(profile: Profile) -> str:
    """Say what a profile became and everything that was done to it."""
    mean, unit = float(profile.values.mean()), "MW per MWdc" if profile.kind == "solar" else "MW"
    done = "; ".join((f"mean {mean:.4g} {unit}", *profile.notes))
    return f"Own {profile.kind} profile ({profile.description}): {done}."


def _solar(study: Study, weather: Weather) -> FloatArray:
    # Outages of single inverter blocks enter sizing as their mean.
    return solar_yield(weather, study.pv, study.plant_age_yr).ravel() * study.pv.availability


def _load(study: Study, weather: Weather) -> FloatArray:
    return load_mw(
        weather, study.rack, study.contracted_racks, study.facility, study.path, study.sustained
    ).ravel()


def _own_profiles(study: Study, weather: Weather) -> Own:
    """Read the user's profiles beside the weather years and what would stand in their place.

    Raises
    ------
    InputError
        With the faults of both.
    """
    given = {"solar": (study.solar_profile, _solar), "load": (study.load_profile, _load)}
    own: dict[Kind, Profile] = {}
    faults: list[Fault] = []
    for kind in KINDS:
        data, computed = given[kind]
        if data is None:
            continue
        beside = Beside(study.site, float(computed(study, weather).mean()), len(weather.years))
        try:
            own[kind] = read_profile(data, kind, utc_offset_h=weather.utc_offset_h, beside=beside)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults, "solve()")
    return own


def _on_weather(profile: Profile, weather: Weather) -> FloatArray:
    """Put a profile beside the weather years: as many years, or one that is repeated."""
    years = profile.on_step(weather.step_minutes)
    return np.ascontiguousarray(np.broadcast_to(years, (len(weather.years), years.shape[1]))).ravel()


def _backup(
    study: Study,
    backup: Backup,
    weather: Weather,
    load: FloatArray,
    cost: annual_cost.AnnualCost,
    site: annual_cost.AnnualCost,
    known_most: int | None = None,
) -> BackupCase:
    fuel, path = study.fuel(backup), study.path
    heat = mean_heat_rate_factor(backup, weather.temp_air_c, load)
    mmbtu = annual_cost.backup_fuel_mmbtu_per_mwh(backup, path, heat)
    capability = backup_capability(backup, weather.temp_air_c, study.site.elevation_m).ravel()
    unit_mw = backup.unit_mw * path.generator_to_bus_efficiency
    fewest, most = study.limits.units.get(backup.name, (0, -1))
    hours = [h for h in (backup.run_h_per_yr_limit, study.limits.run_h.get(backup.name)) if h is not None]
    if most < 0 and known_most is not None:
        most = known_most
    elif most < 0:
        most = capacity_bounds.units_max(float(load.max()), unit_mw, capability)
    return BackupCase(
        name=backup.name,
        unit_mw=unit_mw,
        capability=capability[np.newaxis, :],
        annual_cost_usd_per_unit=cost.total_usd_per_yr,
        marginal_cost_usd_per_mwh=annual_cost.backup_marginal_cost(
            backup, fuel, path, fuel.price_usd_per_mmbtu, study.co2_price_usd_per_t, mmbtu
        ),
        fuel_mmbtu_per_mwh=mmbtu,
        co2_t_per_mwh=mmbtu * fuel.co2_kg_per_mmbtu / 1000,
        lead_months=backup_months(backup, library.schedule()),
        units_min=fewest,
        units_max=max(fewest, most),
        site_cost_usd_per_yr=site.total_usd_per_yr,
        other_levels=_second_level(study, backup, heat),
        nox_t_per_mwh=mmbtu * backup.nox_kg_per_mmbtu / 1000,
        co_t_per_mwh=mmbtu * backup.co_kg_per_mmbtu / 1000,
        pm_t_per_mwh=mmbtu * backup.pm_kg_per_mmbtu / 1000,
        run_h_limit=min(hours, default=None),
        starts_limit=study.limits.starts.get(backup.name),
        night_h_limit=study.limits.night_h.get(backup.name),
    )


def _second_level(study: Study, backup: Backup, heat: float) -> tuple[PriceLevel, ...]:
    """Price of the second fuel, which holds while the first is interrupted: in no step of a case without."""
    fuel = study.second_fuel(backup)
    if fuel is None:
        return ()
    mmbtu = annual_cost.second_fuel_mmbtu_per_mwh(backup, study.path, heat)
    price = annual_cost.backup_marginal_cost(
        backup, fuel, study.path, fuel.price_usd_per_mmbtu, study.co2_price_usd_per_t, mmbtu
    )
    at_stack = (backup.second_fuel_nox_kg_per_mmbtu, backup.second_fuel_co_kg_per_mmbtu,
                backup.second_fuel_pm_kg_per_mmbtu)  # fmt: skip
    tonnes = [mmbtu * (kg or 0.0) / 1000 for kg in (fuel.co2_kg_per_mmbtu, *at_stack)]
    return (PriceLevel(fuel.name, price, tonnes[0], mmbtu, *tonnes[1:]),)


def fixed_load_share(study: Study, weather: Weather) -> float:
    """Share of the facility's mean load that stays when racks throttle: cooling overhead. [fraction]"""
    mean_pue = float(pue(weather.temp_air_c, study.facility).mean())
    return study.facility.pue_fixed_share * (mean_pue - 1) / mean_pue


def power_share(study: Study, weather: Weather) -> float:
    """Load at full throughput over the contracted racks' at full power; 1 unless spares share. [fraction]"""
    return 1.0 if study.sharing_racks is None else _load_and_tiers(study, weather)[0]


def it_mw_at_work(study: Study, weather: Weather) -> float:
    """Give the IT power at full throughput: the contracted racks', or less where spares share it. [MW]"""
    fixed = fixed_load_share(study, weather)
    return study.contracted_it_mw * (power_share(study, weather) - fixed) / (1 - fixed)


def _load_and_tiers(study: Study, weather: Weather) -> tuple[float, tuple[Tier, ...]]:
    """Load in units of the contracted racks at full power, and its tiers."""
    racks = study.sharing_racks
    if racks is None:
        return 1.0, _tiers(study, weather)
    # Broken racks do no work: on average so many do. What is missing below K is the rack shortfall's.
    rack_ratio = max(1.0, racks * study.rack.availability / study.contracted_racks)
    curve = getattr(study.rack, f"curve_{study.throughput_curve}")
    return shared_tiers(curve, fixed_load_share(study, weather), study.rack.floor_fraction, rack_ratio)


def _load_classes(study: Study) -> tuple[ClassShare, ...]:
    """Classes of the load with their shares; none where one target holds for all of it."""
    if len(study.contracts) == 1:
        return ()
    power = study.contracted_it_mw
    return tuple(ClassShare(item.name, item.it_mw / power, item.uptime) for item in study.contracts)


def _tiers(study: Study, weather: Weather) -> tuple[Tier, ...]:
    """Tiers of every class in the order in which an operator sheds them."""
    power, tiers = study.contracted_it_mw, []
    throttles = any(contract.metric == "compute" for contract in study.contracts)
    fixed = fixed_load_share(study, weather) if throttles else 0.0
    for number, contract in enumerate(study.contracts):
        share = contract.it_mw / power
        for tier in _class_tiers(study, contract, fixed):
            key = _shed_order(contract, tier)
            tiers.append((key, number, Tier(tier.width * share, tier.weight, number)))
    return tuple(tier for _, _, tier in sorted(tiers, key=lambda item: item[:2]))


def _class_tiers(study: Study, contract: Contract, fixed_share: float) -> tuple[Tier, ...]:
    """Tiers of one class, of its own load."""
    if contract.metric == "floor":
        # An operator who has to keep a floor gives up what lies above it first, at half the usual loss
        above = 1.0 - FLOOR_SHARE
        return Tier(above, 0.5), Tier(FLOOR_SHARE, (1.0 - 0.5 * above) / FLOOR_SHARE)
    if contract.metric != "compute":
        return (Tier(1.0, 1.0),)
    curve = getattr(study.rack, f"curve_{contract.throughput_curve}")
    return throttle_tiers(curve, fixed_share, study.rack.floor_fraction)


def _shed_order(contract: Contract, tier: Tier) -> tuple[float, float]:
    """Rank of a tier: what its compute is worth, or else how much of its class may be lost."""
    if contract.value_usd_per_rack_h is not None:
        return contract.value_usd_per_rack_h / contract.rack_mw * tier.weight, tier.weight
    return contract.uptime, tier.weight


def _given(limits: Limits) -> frozenset[str]:
    """Name the bounds of capacities and counts that are the user's own."""
    sizes = (
        name
        for name in ("solar_mw", "battery_mwh", "battery_mw", "racks")
        if getattr(limits, name) is not None
    )
    by_name = (*(f"units.{name}" for name in limits.units), *(f"{name}_mw" for name in limits.wind_mw))
    return frozenset((*sizes, *by_name))


def _array(study: Study, solar: FloatArray, cost: annual_cost.AnnualCost, most_mw: float) -> Resource:
    bounds_mw, widest_mw = capacity_bounds.within(most_mw, study.limits.solar_mw)
    return Resource(
        name="solar",
        label="solar array",
        yield_mw_per_mw=solar,
        annual_cost_usd_per_mw=cost.total_usd_per_yr,
        acres_per_mw=1 / study.pv.power_density_mwdc_per_acre,
        lead_months=study.pv.lead_months,
        bounds_mw=bounds_mw,
        widest_mw=widest_mw,
    )


def _limits(study: Study, derived: capacity_bounds.CapacityBounds) -> CaseLimits:
    given = study.limits
    hours = given.battery_hours or (study.battery.min_duration_h, None)
    energy, widest_mwh = capacity_bounds.within(derived.battery_mwh, given.battery_mwh)
    power, widest_mw = capacity_bounds.within(derived.battery_mw, given.battery_mw)
    cycles = study.battery_cycles
    return CaseLimits(
        battery_mwh=energy,
        battery_mw=power,
        land_acres=given.land_acres,
        min_duration_h=hours[0],
        max_duration_h=hours[1],
        months_to_power=given.months_to_power,
        battery_cycles_per_yr=None if cycles == "warranty" else cycles,
        warranty_cycles_per_yr=study.battery.warranted_cycles_per_yr if cycles == "warranty" else None,
        site_night_h=given.site_night_h,
        n_plus=given.n_plus or 0,
        widest=(widest_mwh, widest_mw),
        **{item.name: item.asked(study) for item in ANNUAL_LIMITS},
    )
