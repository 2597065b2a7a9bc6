"""From a study and what is asked of its roadmap to the question in terms of a case."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from sitedesign import library
from sitedesign.case.build import StudyCase, build_case, unit_costs
from sitedesign.case.grid_supply import GRID
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.errors import Fault, nearest
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, DeliveryCase, RentalCase, RoadmapCase
from sitedesign.results.roadmap import MONTHS_PER_YEAR
from sitedesign.study.roadmap_defaults import usual_dates
from sitedesign.study.roadmap_inputs import DateRange, Delivery, Ramp, Rental, Scenario
from sitedesign.study.study import Study

SOLAR, BATTERY = "solar", "battery"
_ROUNDING = 1e-6
_KW_PER_MW = 1000.0


@dataclass(frozen=True)
class Asked:
    """What a roadmap is asked beside its study.

    Attributes
    ----------
    ramp : Ramp or None
        All racks from month 0 on where there is none.
    value_usd_per_rack_month : float or None
        [USD/rack-month]
    start : date
    horizon_months : float
        [months]
    rentals : tuple of Rental
    deliveries : tuple of Delivery
        Those of the library among them.
    scenarios : tuple of Scenario
    dates : tuple of DateRange or "library"
    most_stages : int
    """

    ramp: Ramp | None
    value_usd_per_rack_month: float | None
    start: date
    horizon_months: float
    rentals: tuple[Rental, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    dates: tuple[DateRange, ...] | str = ()
    most_stages: int = 12


def technologies(study: Study) -> list[str]:
    """Names by which deliveries and dates of a study are given."""
    names = [SOLAR, BATTERY, *(w.name for w in study.wind), *(b.name for b in study.backup)]
    return [*names, GRID] if study.grid is not None and not study.grid.is_absent else names


def faults_of(study: Study, asked: Asked) -> list[Fault]:
    """Find everything that is wrong between a study and what is asked of its roadmap."""
    faults = _study_faults(study)
    if study.reserve is not None and asked.dates:
        allowed = "is kept as planned: what stands on other dates may not hold it"
        faults.append(Fault("dates", "given with a reserve", allowed, "Leave one of them out."))
    if asked.ramp is None and asked.value_usd_per_rack_month is None:
        remedy = "Give ramp={6: 100, 12: 700}, a promise, or value_usd_per_rack_month=170 * 137.5, or both."
        faults.append(Fault("ramp", "nothing", "a ramp or the value of a rack is needed", remedy))
    if asked.ramp is not None:
        if asked.ramp.final > study.contracted_racks:
            allowed = f"must be at most the {study.contracted_racks:,} racks of the study"
            faults.append(Fault("ramp.steps", f"{asked.ramp.final:,} racks", allowed))
        first = next((month for month, racks in asked.ramp.steps if racks > 0), None)
        if first is None or first >= asked.horizon_months:
            allowed = f"must ask for racks before the horizon of {asked.horizon_months:g} months"
            faults.append(Fault("ramp.steps", "no racks" if first is None else f"month {first}", allowed))
    known = technologies(study)
    for number, item in enumerate(asked.deliveries):
        where = f"deliveries[{number}].technology"
        faults += _unknown(where, item.technology, known)
    twice = [d.technology for d in asked.deliveries]
    faults += [
        Fault("deliveries", f"{name!r} twice", "each technology may appear once")
        for name in sorted({name for name in twice if twice.count(name) > 1})
    ]
    own = {b.name for b in study.backup}
    for number, rental in enumerate(asked.rentals):
        where = f"rentals[{number}].technology"
        if rental.technology not in own:
            faults += _unknown(where, rental.technology, sorted({*own, *library.names("backup")}))
    rented = [r.technology for r in asked.rentals]
    all_names = [*known, *(name for name in rented if name not in known)]
    faults += _scenario_faults(asked.scenarios, all_names)
    faults += _date_faults(asked.dates, all_names)
    return faults


def _study_faults(study: Study) -> list[Fault]:
    """Refuse what a roadmap cannot decide on: it would be left out without a word."""
    faults = []
    if study.objective == "compute_cost":
        allowed = "a roadmap keeps a given uptime"
        faults.append(Fault("study.objective", "'compute_cost'", allowed, "Give uptime=...."))
    if study.spares == "share":
        allowed = "a roadmap lets spare racks stand by"
        faults.append(Fault("study.spares", "'share'", allowed, "Leave it out."))
    if study.power_paths:
        allowed = "a roadmap needs one array and one battery: all its stages stand on the same"
        remedy = "Let solve() choose among them, and give the one it takes."
        faults.append(Fault("study.pv", f"{len(study.power_paths)} entries", allowed, remedy))
    if study.limits.months_to_power is not None:
        allowed = "a roadmap says itself what comes when"
        faults.append(Fault("study.limits.months_to_power", "given", allowed, "Leave it out; give a ramp."))
    if study.limits.n_plus:
        allowed = "a roadmap holds no spare units: what stages share holds for any share of the load"
        remedy = "Leave it out; certify=True keeps the target of every stage while units fail."
        faults.append(Fault("study.limits.n_plus", f"{study.limits.n_plus}", allowed, remedy))
    if study.tank_choices_h:
        allowed = "a roadmap chooses no tanks"
        faults.append(Fault("study.tank_choices_h", "given", allowed, "Give tank_h."))
    return faults + _held_faults(study)


def _held_faults(study: Study) -> list[Fault]:
    """Refuse what no stage is held to."""
    if study.practice == "careful":
        allowed = "a roadmap pays no ride-through by stage"
        remedy = "Leave it out; give reserve=sitedesign.Reserve(). unit_rules are kept."
        return [Fault("study.practice", "'careful'", allowed, remedy)]
    faults = []
    if study.reserve is not None and study.reserve.load_step_mw > 0.0:
        allowed = (
            "a roadmap holds no step of the load: it is not known how large it is with the racks of a stage"
        )
        found = f"{study.reserve.load_step_mw:g} MW"
        faults.append(Fault("study.reserve.load_step_mw", found, allowed, "Leave it out."))
    if study.ride_through == "ups":
        allowed = "a roadmap does not pay a ride-through by stage"
        faults.append(Fault("study.ride_through", "'ups'", allowed, "Leave it out."))
    return faults


def _scenario_faults(scenarios: Sequence[Scenario], known: list[str]) -> list[Fault]:
    faults = []
    for number, item in enumerate(scenarios):
        for name in item.months:
            faults += _unknown(f"scenarios[{number}].months.{name}", name, known)
    total = sum(item.probability for item in scenarios)
    if scenarios and abs(total - 1.0) > _ROUNDING:
        faults.append(Fault("scenarios", f"probabilities of {total:g} in all", "must add up to 1"))
    return faults


def _date_faults(dates: tuple[DateRange, ...] | str, known: list[str]) -> list[Fault]:
    if isinstance(dates, str):
        return []
    names = [item.technology for item in dates]
    faults = [fault for name in names for fault in _unknown("dates", name, known)]
    twice = sorted({name for name in names if names.count(name) > 1})
    return faults + [Fault("dates", f"{name!r} twice", "each technology may appear once") for name in twice]


def dates_asked(study: Study, question: RoadmapCase, asked: Asked) -> Sequence[DateRange]:
    """Ranges of the dates that are not known; those of the library where it is asked."""
    if not isinstance(asked.dates, str):
        return asked.dates
    names = [*technologies(study), *question.rented_only]
    planned = {name: planned_month(question, name) for name in names}
    return usual_dates(study, asked.rentals, planned)


def planned_month(question: RoadmapCase, technology: str) -> float:
    """Month in which a plan can reckon with the first of a technology, bought or only rented. [months]"""
    if technology in question.rented_only:
        return min(item.from_month for item in question.rentals if item.technology == technology)
    return question.delivery(BATTERY_MW if technology == BATTERY else technology).lead_months


def _unknown(where: str, name: str, known: Iterable[str]) -> list[Fault]:
    names = list(known)
    if name in names:
        return []
    return [Fault(where, repr(name), f"must be one of {', '.join(names)}", nearest(name, names))]


@dataclass(frozen=True, eq=False)
class StudyQuestion:
    """Question of a roadmap with the case that it was made of.

    Attributes
    ----------
    study_case : StudyCase
        With the technologies that are only rented among its backup.
    question : RoadmapCase
    bound_name : str
        What the bound is of.
    """

    study_case: StudyCase
    question: RoadmapCase
    bound_name: str


def question_of(study: Study, asked: Asked) -> StudyQuestion:
    """Reduce a study and what is asked of its roadmap to arrays."""
    own = {b.name for b in study.backup}
    rented_only = [r.technology for r in asked.rentals if r.technology not in own]
    more = [library.backup(name) for name in dict.fromkeys(rented_only)]
    with_rented = study.replace(
        construction_start=asked.start, in_service=_served(asked.start, 1), backup=[*study.backup, *more]
    )
    built = build_case(with_rented)
    relaxed = relaxation(built.case, study.metric)
    case = replace(shift_start(relaxed.case, cyclic_start_step(built.case)), delay_cost_usd_per_month_yr=0.0)
    mw = {item.name: item.unit_mw for item in with_rented.backup}
    steps = ((0, study.contracted_racks),) if asked.ramp is None else asked.ramp.steps
    question = RoadmapCase(
        case,
        tuple((float(month), racks) for month, racks in steps),
        float(asked.horizon_months),
        study.finance.wacc_power_real,
        _deliveries(built, asked.deliveries),
        tuple(_rental(item, mw[item.technology]) for item in asked.rentals),
        asked.value_usd_per_rack_month,
        frozenset(rented_only),
        _costs_at(with_rented, asked.start),
        asked.most_stages,
    )
    return StudyQuestion(built, question, relaxed.name)


def _deliveries(built: StudyCase, given: Sequence[Delivery]) -> dict[str, DeliveryCase]:
    """When everything of a case can be there: what is given, else the study's own lead times."""
    case, found = built.case, {}
    leads = {r.name: r.lead_months for r in case.resources} | {b.name: b.lead_months for b in case.supplies}
    by_name = {item.technology: item for item in given}
    for name, lead in leads.items():
        item = by_name.get(name)
        rate, most = (None, None) if item is None else (item.mw_per_month, item.most_mw)
        found[name] = DeliveryCase(_lead(item, lead), _or_any(rate), _or_any(most))
    battery = by_name.get(BATTERY)
    lead = _lead(battery, case.battery_lead_months)
    energy = None if battery is None else battery.mwh_per_month
    power, most = (None, None) if battery is None else (battery.mw_per_month, battery.most_mw)
    found[BATTERY_MWH] = DeliveryCase(lead, _or_any(energy))
    found[BATTERY_MW] = DeliveryCase(lead, _or_any(power), _or_any(most))
    return found


def _lead(given: Delivery | None, own: float) -> float:
    return float(math.ceil(own if given is None or given.lead_months is None else given.lead_months))


def _or_any(value: float | None) -> float:
    return math.inf if value is None else value


def _rental(item: Rental, unit_mw: float) -> RentalCase:
    kw = unit_mw * _KW_PER_MW
    return RentalCase(
        item.technology,
        item.units,
        float(item.from_month),
        item.rent_usd_per_kw_month * kw,
        item.mobilisation_usd_per_kw * kw,
        item.min_term_months,
    )


def served_on(start: date, month: float) -> date:
    """Day on which what is delivered by a month is placed in service: the last before that month."""
    whole = start.month - 1 + math.floor(month)
    year, month_of_year = start.year + whole // MONTHS_PER_YEAR, whole % MONTHS_PER_YEAR + 1
    return date(year, month_of_year, min(start.day, 28)) - timedelta(days=1)


def _served(start: date, month: float) -> date:
    """Day of service, not before the start itself."""
    return max(start, served_on(start, month))


class _Costs:
    """Annual cost of a unit of everything by month of delivery, with the credit of its date."""

    def __init__(self, study: Study, start: date) -> None:
        self.study, self.start = study, start
        self._by_month = cache(self._of_month)

    def __call__(self, month: float) -> Mapping[str, float]:
        return self._by_month(math.floor(month))

    def _of_month(self, month: int) -> dict[str, float]:
        study = self.study
        costs = unit_costs(study, _served(self.start, month))
        return {
            SOLAR: costs.solar.total_usd_per_yr,
            BATTERY_MWH: costs.battery_energy.total_usd_per_yr,
            BATTERY_MW: costs.battery_power.total_usd_per_yr,
            **{b.name: c.total_usd_per_yr for b, c in zip(study.backup, costs.backup, strict=True)},
            **{w.name: c.total_usd_per_yr for w, c in zip(study.wind, costs.wind, strict=True)},
        }


def _costs_at(study: Study, start: date) -> _Costs:
    return _Costs(study, start)


def credit_of(study: Study, technology: str, start: date, month: float) -> float:
    """Tax credit of a technology that is delivered by a month. [fraction of capital]"""
    kinds = {SOLAR: "pv", BATTERY_MWH: "battery", BATTERY_MW: "battery"}
    kinds |= {item.name: "wind" for item in study.wind}
    kinds |= {item.name: item.tax_credit for item in study.backup}
    if technology not in kinds:
        return 0.0
    return library.itc_fraction(kinds[technology], start, _served(start, month), study.finance)
