"""Study: what is asked. Frozen and validated; all faults are reported at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import InstanceOf, ValidationError

from sitedesign import library
from sitedesign.errors import Fault, InputError, nearest, shown
from sitedesign.library import Backup, Entry, Fuel, PowerPath, Region
from sitedesign.study.demand import (
    CONTRACTS,
    MOST_IT_MW,
    RACKS,
    Contract,
    LoadClass,
    Use,
    class_faults,
    contract_faults,
    racks_of,
    throughput_faults,
    uptime_faults,
)
from sitedesign.study.fuels import NATURAL_GAS, GasContract, contracted_fuel
from sitedesign.study.grid import Grid
from sitedesign.study.grid_inputs import GRID
from sitedesign.study.inputs import PLACE, PROFILES, WEATHER, StudyInputs
from sitedesign.study.limits import TABLES, Limits
from sitedesign.study.plausibility import (
    accept_faults,
    flag_faults,
    grid_faults,
    load_faults,
    rule_faults,
    surplus_faults,
    tank_faults,
    weather_faults,
    wind_faults,
)
from sitedesign.study.region import NONE, in_region, region_note, region_of
from sitedesign.study.resolve import careful, resolve
from sitedesign.study.unit_rules import UnitRules
from sitedesign.util.gate import TEXT, Gate, Kind, takes, unnamed
from sitedesign.util.html_table import table_html
from sitedesign.util.inputs import Input, documented
from sitedesign.util.validation import faults_of, unknown_keys
from sitedesign.util.words import target
from sitedesign.weather.site import Site
from sitedesign.weather.weather import Weather

__all__ = ["Limits", "Study"]
E = TypeVar("E", bound=Entry)


class _WeatherYears(Gate):
    """Weather that was read or made; of a path, how to read it."""

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        path = shown(str(value)) if isinstance(value, str | Path) else "..."
        remedy = f"Read files with weather=sd.Weather.read({path})."
        return Kind((Weather,), "must be a sitedesign.Weather", remedy).wrong(value)


_WEATHER = _WeatherYears()
_ENTRY = Kind((Entry,), "must be an entry of the library")
_BACKUP = Kind((Backup,), "must be a sitedesign.library.Backup")
# What people write as a field of a study, and where it belongs
_BELONGS = {
    **dict.fromkeys(
        ("lat", "lon", "latitude", "longitude"), "Give site=sd.Site(latitude=..., longitude=...)."
    ),
    "gas_price": "Give fuel_price_usd_per_mmbtu={'natural_gas': ...}.",
    "diesel_price": "Give fuel_price_usd_per_mmbtu={'diesel': ...}.",
    "fuel_price": "Give fuel_price_usd_per_mmbtu={'natural_gas': ...}.",
    "years": "Give weather_years=....",
    "certify": "It is asked of solve(); of a table, stage='certified' or certify_best=20.",
    "time_limit": "Give time_limit_s=... to solve().",
    "units": "It is a limit: limits={'units': {'diesel': (3, 3)}}.",
    **{
        name: f"It is a limit: limits={{{name!r}: ...}}."
        for name in Limits.model_fields
        if name not in ("racks", *TABLES)
    },
}
# What every class says for itself
_PER_CLASS = ("racks", "it_mw", "gpus", "throughput", "uptime", "metric", "use", "throughput_curve")


@documented
class Study(StudyInputs):
    """One question: a place, a compute load and an uptime target.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> import sitedesign as sd
    >>> site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    >>> study = sd.Study(site=site, it_mw=100, uptime="99.9 %", limits={"months_to_power": 14})
    >>> study.contracted_racks, study.uptime
    (794, 0.999)
    """

    site: Annotated[Site, Input("Place", "Where the plant stands.", PLACE, type="Site")]
    grid: Annotated[
        Grid | None,
        Input(
            "Grid connection",
            "Connection to the grid: firm or flexible, its tariff, what may be sold. The optimiser chooses "
            "how much of it pays. A mapping of the fields of `sitedesign.Grid` makes one.",
            GRID,
            type="Grid or mapping",
        ),
    ] = None
    weather: Annotated[
        InstanceOf[Weather] | None,
        _WEATHER,
        Input(
            "Weather",
            "Weather of the place. Generated when left out.",
            WEATHER,
            example=("my_nsrdb_years/",),
            type="Weather",
            sort="file",
        ),
    ] = None

    def __init__(self, *given: Any, **data: Any) -> None:  # noqa: ANN401
        faults = unnamed(given, "study", "sd.Study(site=sd.Site(...), racks=700, uptime=0.999)")
        faults += unknown_keys("study", data, type(self).model_fields, _BELONGS)
        known = {key: value for key, value in data.items() if key in type(self).model_fields}
        known = resolve(known, faults)
        faults += _faults(known)
        usual = careful(known)
        try:
            super().__init__(**known | usual)
        except ValidationError as error:
            named = {_field(fault) for fault in faults}  # already said in better words
            found = faults_of(error, "study", type(self).model_fields)
            faults += [fault for fault in found if _field(fault) not in named]
        if not faults:
            faults = _cross_faults(self)
        if faults:
            raise InputError(faults, "Study()")
        # What nobody said is found anew for a copy with other units
        self.model_fields_set.difference_update(usual.keys() - known.keys())

    @property
    def path(self) -> PowerPath:
        """Power path that goes with the array's coupling."""
        return self._own(library.power_path(self.pv.coupling))

    def _own(self, entry: E) -> E:
        """Give the question's own entry in place of the library's."""
        own = (item for item in self.own_entries if (item.kind, item.name) == (entry.kind, entry.name))
        return cast(E, next(own, entry))

    def _draw(self, use: Use) -> float:
        """Sustained draw of one use as a share of the planning power. [fraction]"""
        if self.sustained_fraction is not None:
            return self.sustained_fraction
        training = use == "training"
        return self.rack.sustained_fraction_training if training else self.rack.sustained_fraction_inference

    def _new_rack_mw(self, use: Use) -> float:
        """Give the IT power of one rack in operation in the first year, network included. [MW]"""
        return self.rack.power_kw * (1 + self.rack.network_power_fraction) * self._draw(use) / 1000

    @property
    def load_growth(self) -> float:
        """Load of the year for which the plant is sized over that of the first year. [fraction]"""
        return float((1.0 + self.load_growth_per_yr) ** self.plant_age_yr)

    def _rack_mw(self, use: Use) -> float:
        """Give the same in the year for which the plant is sized. [MW]"""
        return self._new_rack_mw(use) * self.load_growth

    @property
    def battery_cycles(self) -> float | Literal["warranty"] | None:
        """Most cycles of the battery a year: as they are limited, else a careful owner's. [1/yr]"""
        given = self.limits.battery_cycles_per_yr
        return "warranty" if given is None and self.practice == "careful" else given

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """What is promised, class by class; one of everything when there are no classes."""
        return tuple(self._contract(item) for item in self.classes if not item.best_effort) or (
            Contract(
                "all",
                racks_of(
                    self.rack,
                    self._new_rack_mw(self.use),
                    racks=self.racks,
                    it_mw=self.it_mw,
                    gpus=self.gpus,
                    throughput=self.throughput,
                ),
                self._rack_mw(self.use),
                self.uptime or 0.0,
                self.metric,
                self.throughput_curve,
            ),
        )

    @property
    def best_effort(self) -> tuple[Contract, ...]:
        """Classes to which nothing is promised, those of most value first."""
        found = [self._contract(item) for item in self.classes if item.best_effort]
        return tuple(sorted(found, key=lambda item: -(item.value_usd_per_rack_h or 0.0)))

    def _contract(self, item: LoadClass) -> Contract:
        new_mw = self._new_rack_mw(item.use)
        return Contract(
            item.name,
            racks_of(self.rack, new_mw, racks=item.racks, it_mw=item.it_mw, gpus=item.gpus),
            self._rack_mw(item.use),
            item.uptime or 0.0,
            item.metric,
            item.throughput_curve,
            item.value_usd_per_rack_h,
        )

    @property
    def contracted_racks(self) -> int:
        """Racks contracted, all classes together, best effort left out."""
        return sum(item.racks for item in self.contracts)

    @property
    def contracted_it_mw(self) -> float:
        """IT power of the contracted racks. [MW]"""
        return sum(item.it_mw for item in self.contracts)

    @property
    def sustained(self) -> float:
        """Sustained draw of the contracted racks, grown, as a share of the planning power. [fraction]"""
        if not self.classes:
            return self._draw(self.use) * self.load_growth
        nominal = self.rack.power_kw * (1 + self.rack.network_power_fraction) / 1000
        return self.contracted_it_mw / (self.contracted_racks * nominal)

    @property
    def rack_mw(self) -> float:
        """IT power of one contracted rack in operation, network included; the mean of all classes. [MW]"""
        return self.contracted_it_mw / self.contracted_racks

    @property
    def target(self) -> float:
        """Uptime promised over all classes, by their power; 0 where the optimiser chooses it. [fraction]"""
        return sum(item.it_mw * item.uptime for item in self.contracts) / self.contracted_it_mw

    @property
    def sharing_racks(self) -> int | None:
        """Racks that share the contracted work, where their count is fixed; None otherwise."""
        given = self.limits.racks
        if self.spares != "share" or given is None or given[0] != given[1]:
            return None
        return int(given[0])

    @takes("Study.with_racks()", racks=RACKS)
    def with_racks(self, racks: int) -> Study:
        """Fix the number of racks installed."""
        limits = self.limits.model_dump(exclude_unset=True) | {"racks": (racks, racks)}
        return self.replace(limits=limits)

    @property
    def variants(self) -> tuple[Study, ...]:
        """One study for each power path to choose from; the study itself where there is one."""
        if not self.power_paths:
            return (self,)
        return tuple(self.replace(pv=pv, battery=battery) for pv, battery in self.power_paths)

    @takes("Study.fuel()", backup=_BACKUP)
    def fuel(self, backup: Backup) -> Fuel:
        """Fuel of a backup technology at this study's price and contract, with its tank where it has one."""
        fuel = self.priced(backup.fuel)
        tank_h = self._tank_h(backup)
        return fuel if tank_h is None or backup.second_fuel != "none" else fuel.replace(storage_h=tank_h)

    def _tank_h(self, backup: Backup) -> float | None:
        """Hours that are asked for of a tank, the smallest where it is chosen; None where nothing is said."""
        return self.tank_h.get(backup.name, min(self.tank_choices_h.get(backup.name, ()), default=None))

    @takes("Study.second_fuel()", backup=_BACKUP)
    def second_fuel(self, backup: Backup) -> Fuel | None:
        """Fuel that a backup technology burns while its first is interrupted, with its tank; None without."""
        given = self._tank_h(backup)
        tank_h = backup.second_fuel_tank_h if given is None else given
        if backup.second_fuel == "none" or tank_h is None:
            return None
        return self.priced(backup.second_fuel).replace(storage_h=tank_h)

    @takes("Study.delivered_mmbtu_per_h()", backup=_BACKUP)
    def delivered_mmbtu_per_h(self, backup: Backup) -> float | None:
        """Fuel that lorries bring to a backup technology at most; None where nothing is said. [MMBtu/h]"""
        loads, fuel = self.lorries_per_day.get(backup.name), self.second_fuel(backup) or self.fuel(backup)
        return None if loads is None or fuel.lorry_mmbtu is None else loads * fuel.lorry_mmbtu / 24

    @takes("Study.has_tank()", backup=_BACKUP)
    def has_tank(self, backup: Backup) -> bool:
        """Whether a backup technology burns from a tank, at all times or while its fuel is interrupted."""
        return backup.second_fuel != "none" or self.priced(backup.fuel).storage_h > 0.0

    @property
    def region_figures(self) -> Region | None:
        """Region whose prices hold; None where the library's own do."""
        if self.region is None or isinstance(self.region, Region):
            return self.region
        return region_of(self.site)

    @takes("Study.local()", entry=_ENTRY)
    def local(self, entry: E) -> E:
        """Give an entry with the costs of the region in place of the library's."""
        return in_region(entry, self.region_figures)

    @property
    def gas_transport(self) -> GasContract:
        """Transport of natural gas: as the study says, or else as the region has it."""
        region = self.region_figures
        return self.gas_contract or ("firm" if region is None else region.gas_transport)

    @property
    def region_words(self) -> str:
        """What the region brings, in one sentence; empty where the library's own prices hold."""
        region = self.region_figures
        if region is None:
            return ""
        burns = any(NATURAL_GAS in (item.fuel, item.second_fuel) for item in self.backup)
        transport = region.gas_transport if burns and self.gas_contract is None else None
        own = self._own(contracted_fuel(NATURAL_GAS, self.gas_transport))
        given = NATURAL_GAS in self.fuel_price_usd_per_mmbtu or in_region(own, region) is own
        return region_note(region, region.gas_usd_per_mmbtu if burns and not given else None, transport)

    @takes("Study.priced()", name=TEXT)
    def priced(self, name: str) -> Fuel:
        """Fuel by the name that studies call it, at this study's price and contract."""
        fuel = self.local(self._own(contracted_fuel(name, self.gas_transport)))
        price = self.fuel_price_usd_per_mmbtu.get(fuel.name)
        return fuel if price is None else fuel.replace(price_usd_per_mmbtu=price)

    @property
    def said(self) -> dict[str, Any]:
        """Fields that were given, as another study takes them."""
        given = {
            name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set
        }
        return given | ({"unit_rules": self._rules_said} if "unit_rules" in given else {})

    @property
    def _rules_said(self) -> dict[str, UnitRules]:
        """Rules of units without those that a careful owner's practice brings by itself."""
        usual = UnitRules() if self.practice == "careful" else None
        return {name: rules for name, rules in self.unit_rules.items() if rules != usual}

    @takes("Study.replace()")
    def replace(self, **changes: Any) -> Study:  # noqa: ANN401
        """Copy with some fields changed, validated again."""
        data = self.said
        if "pv" in changes or "battery" in changes:
            choices = data.pop("power_paths", ())
            if choices and "pv" not in changes:
                data["pv"] = [pv for pv, _ in choices]
        return Study(**(data | changes))

    def to_dict(self) -> dict[str, Any]:
        """Everything but the time series, ready for JSON; profiles and weather appear as a description."""
        left_out = {"weather", *PROFILES, "power_paths", "grid", "surplus", "reserve", "unit_rules"}
        data = self.model_dump(mode="json", exclude=left_out)
        data["grid"] = None if self.grid is None else self.grid.to_dict()
        data["region"] = data["region"] or NONE  # which is not the same as nothing said
        data["surplus"] = [item.to_dict() for item in self.surplus]
        data["reserve"] = None if self.reserve is None else self.reserve.model_dump(mode="json")
        data["unit_rules"] = {name: rules.to_dict() for name, rules in self._rules_said.items()}
        if self.power_paths:
            for number, name in enumerate(("pv", "battery")):
                data[name] = [pair[number].model_dump(mode="json") for pair in self.power_paths]
        for name in PROFILES:
            data[name] = None if getattr(self, name) is None else "own profile"
        data["weather"] = None if self.weather is None else self.weather.source.description
        return data

    def __repr__(self) -> str:
        return "\n".join(["Study", *(f"  {label:<16} {text}" for label, text in self._rows())])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return table_html("Study", self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        """Show what is asked; of what is rarely set, only what was given."""
        site = self.site
        uses = " and ".join(dict.fromkeys(item.use for item in self.classes)) or self.use
        asked = f"{self.contracted_racks:,} × {self.rack.title}, {uses}"
        own = f"{self.weather_years} generated years, seed {self.seed}"
        entries = {name: getattr(self, name).title for name in ("pv", "battery", "facility", "finance")}
        rows = [
            ("place", f"{site.name} ({site.place})"),
            ("compute", f"{asked}, {self.contracted_racks * self.rack_mw:,.1f} MW of IT load"),
            *self._targets(),
            ("weather", own if self.weather is None else self.weather.source.description),
            *entries.items(),
            ("backup", ", ".join(item.title for item in self.backup) or "none"),
            *([("wind", ", ".join(item.title for item in self.wind))] if self.wind else []),
            *([("grid", self.grid.words)] if self.grid is not None else []),
            *([("surplus", "; ".join(item.words for item in self.surplus))] if self.surplus else []),
            *([("reserve", self.reserve.words)] if self.reserve is not None else []),
            *((f"{name} units", rules.words) for name, rules in self.unit_rules.items()),
        ]
        told = {"site", "racks", "it_mw", "rack", "use", "uptime", "metric", "weather", "weather_years"}
        told |= {"classes", "power_paths", "wind", "grid", "surplus", "reserve", "unit_rules"}
        given = {
            name: "own profile" if name.endswith("_profile") else f"{getattr(self, name)}"
            for name in type(self).model_fields
            if name in self.model_fields_set - told - {"seed", "backup", "limits", *entries}
        }
        limits = self.limits.model_dump(exclude_defaults=True)
        given |= {"limits": ", ".join(f"{name} {value}" for name, value in limits.items())} if limits else {}
        return [*rows, *((name.replace("_", " "), text) for name, text in given.items())]

    def _targets(self) -> list[tuple[str, str]]:
        """Show what is promised, class by class."""
        if not self.classes:
            chosen = "chosen by the optimiser" if self.uptime is None else target(self.uptime)
            return [("uptime", f"{chosen} by the metric “{self.metric}”")]
        return [
            (
                f"class {item.name}",
                "best effort"
                if item.best_effort
                else f"{target(item.uptime or 0.0)} by the metric “{item.metric}”",
            )
            for item in self.classes
        ]


def _field(fault: Fault) -> str:
    """Field of the study that a fault is about: ``backup`` for ``study.backup[0]``."""
    return re.split(r"[.\[]", fault.where.removeprefix("study."))[0]


def _is(value: object, word: str | None) -> bool:
    """Whether a value, which may be of any kind, is a certain word or nothing."""
    return value is None if word is None else isinstance(value, str) and value == word


def _faults(data: dict[str, Any]) -> list[Fault]:
    """Faults that deserve more sense than a type checker can give."""
    faults = uptime_faults(data.get("uptime"), "study.uptime")
    if data.get("classes"):
        faults += [
            Fault(
                f"study.{name}", shown(data[name]), "each class has its own", "Leave it out, or the classes."
            )
            for name, plain in ((name, StudyInputs.model_fields[name].default) for name in _PER_CLASS)
            if not _is(data.get(name, plain), plain)
        ]
    else:
        faults += contract_faults(data, "study", CONTRACTS)
        if data.get("uptime") is None and not _is(data.get("objective"), "compute_cost"):
            remedy = "For example uptime=0.999; with objective='compute_cost' the optimiser chooses it."
            faults.append(Fault("study.uptime", "nothing", "is needed", remedy))
    units = [item.name for item in data["backup"] if item is not None]
    if isinstance(data.get("unit_rules"), dict) and len(units) == len(data["backup"]):
        faults += rule_faults(data["unit_rules"], units)
    limits = data.get("limits")
    for field, kind in TABLES.items() if isinstance(limits, Limits) else ():
        names = [item.name for item in data[kind] if item is not None]
        faults += [
            Fault(f"study.limits.{field}.{name}", repr(name), f"must be one of {names}", nearest(name, names))
            for name in getattr(limits, field)
            if name not in names and len(names) == len(data[kind])
        ]
    return faults


def _cross_faults(study: Study) -> list[Fault]:
    """Faults between fields."""
    faults: list[Fault] = []
    if not study.power_paths and study.battery.coupling != study.pv.coupling:
        other = "lfp_dc" if study.pv.coupling == "dc" else "lfp"
        allowed = f"must be {study.pv.coupling.upper()}-coupled like pv={study.pv.name!r}"
        faults.append(Fault("study.battery", repr(study.battery.name), allowed, f"Use battery={other!r}."))
    for pv, battery in study.power_paths:
        if battery.coupling != pv.coupling:
            found = f"none for pv={pv.name!r}"
            faults.append(Fault("study.battery", found, f"needs one that is {pv.coupling.upper()}-coupled"))
    faults += _demand_faults(study)
    for kind in ("backup", "wind"):
        names = [item.name for item in getattr(study, kind)]
        twice = sorted({name for name in names if names.count(name) > 1})
        faults += [
            Fault(f"study.{kind}", f"{name!r} twice", "each technology may appear once") for name in twice
        ]
    faults += grid_faults(study.grid, study.limits, study.co2_price_usd_per_t, (*study.backup, *study.wind))
    own_sun = study.solar_profile is not None
    faults += wind_faults(study.site, study.weather, study.wind, own_sun=own_sun)
    faults += surplus_faults(study.surplus, [*study.backup, *study.wind], [c.name for c in study.classes])
    stored = [item.name for item in study.backup if study.has_tank(item)]
    faults += tank_faults(study.tank_h, stored)
    faults += tank_faults(study.tank_choices_h, stored, "tank_choices_h")
    faults += [
        Fault(f"study.tank_choices_h.{name}", "with tank_h as well", "give one of the two", "Leave one out.")
        for name in study.tank_choices_h
        if name in study.tank_h
    ]
    faults += tank_faults(study.lorries_per_day, stored, "lorries_per_day")
    burnt = {word for item in study.backup for word in (item.fuel, item.second_fuel)}
    fuels = sorted(burnt - {"none"})
    if study.gas_contract == "interruptible" and NATURAL_GAS not in fuels:
        allowed = f"needs a technology that burns natural gas; those of this study burn {fuels}"
        faults.append(Fault("study.gas_contract", repr(study.gas_contract), allowed, "Leave it out."))
    for name in study.fuel_price_usd_per_mmbtu:
        where = f"study.fuel_price_usd_per_mmbtu.{name}"
        if name not in fuels:
            faults.append(
                Fault(where, repr(name), f"must be a fuel of this study: {fuels}", nearest(name, fuels))
            )
    used = {("fuel", name) for name in fuels} | {
        ("power_path", pv.coupling) for pv in (study.pv, *(pv for pv, _ in study.power_paths))
    }
    for number, item in enumerate(study.own_entries):
        if (item.kind, item.name) not in used:
            known = sorted(name for kind, name in used if kind == item.kind)
            allowed = f"must stand in for one of this study: {', '.join(known) or 'none'}"
            where = f"study.own_entries[{number}]"
            faults.append(Fault(where, repr(item.name), allowed, nearest(item.name, known)))
    spare = study.limits.n_plus or 0
    for name, (least, _) in study.limits.units.items():
        if 0 < least <= spare:
            allowed = f"must be 0, or more than the {spare} that stand by (limits.n_plus)"
            faults.append(Fault(f"study.limits.units.{name}", f"at least {least}", allowed))
    most = study.limits.racks
    if most is not None and most[1] < study.contracted_racks:
        faults.append(
            Fault(
                "study.limits.racks",
                f"{most[1]:g}",
                f"must allow the {study.contracted_racks} contracted racks",
            )
        )
    faults += accept_faults(study.accept)
    if study.weather is not None:
        faults += weather_faults(study.site, study.weather.site)
        faults += flag_faults(study.weather.source.doubts, study.accept)
    if study.weather is not None and study.solar_profile is not None:
        faults.append(Fault("study.solar_profile", "a profile and weather", "give one of the two"))
    if study.in_service < study.construction_start:
        allowed = f"must not be before construction_start ({study.construction_start})"
        faults.append(Fault("study.in_service", f"{study.in_service}", allowed))
    return faults


def _demand_faults(study: Study) -> list[Fault]:
    """Faults between contract, rack and objective."""
    faults = class_faults(study.classes) if study.classes else []
    if study.load_growth_per_yr and study.load_profile is not None:
        allowed = "must be left out: the study's own load profile is that of the year it is sized for"
        found = f"{study.load_growth_per_yr:g}"
        faults.append(Fault("study.load_growth_per_yr", found, allowed, "Scale the profile instead."))
    if study.throughput is not None:
        faults += throughput_faults(study.throughput, study.rack)
    if study.spares == "share":
        plain = study.metric == "compute" and study.objective == "cost" and not study.classes
        if not plain:
            allowed = "needs metric='compute', objective='cost' and no classes"
            faults.append(Fault("study.spares", "'share'", allowed))
    if study.objective == "compute_cost":
        if study.classes:
            allowed = "prices compute of one kind"
            remedy = "Leave one of the two out."
            faults.append(Fault("study.objective", "'compute_cost' with classes", allowed, remedy))
        if study.metric not in ("rack", "compute"):
            allowed = "needs metric='rack' or 'compute': a rack-hour is what is delivered"
            faults.append(Fault("study.metric", repr(study.metric), allowed))
    elif study.lost_compute_usd_per_rack_h is not None:
        found, allowed = f"{study.lost_compute_usd_per_rack_h:g}", "needs objective='compute_cost'"
        faults.append(Fault("study.lost_compute_usd_per_rack_h", found, allowed))
    if not faults and study.contracted_it_mw > MOST_IT_MW:
        found = f"{study.contracted_racks:,} racks, {study.contracted_it_mw:,.0f} MW of IT load"
        faults.append(Fault("study.racks", found, f"must be at most {MOST_IT_MW:,.0f} MW"))
    elif not faults:
        asked = {name: getattr(study, name) for name in ("racks", "it_mw", "gpus")}
        given = {name: amount for name, amount in asked.items() if amount is not None}
        faults += load_faults(study.contracted_it_mw, given, study.accept)
    return faults
