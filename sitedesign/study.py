"""Study: what is asked. Frozen and validated; all faults are reported at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, ValidationError

from sitedesign import library
from sitedesign.errors import Fault, InputError, nearest
from sitedesign.library import Backup, Battery, Facility, Finance, Fuel, PowerPath, Pv, Rack
from sitedesign.markup import table_html
from sitedesign.resource.weather import Weather
from sitedesign.site import Site
from sitedesign.validation import faults_of, unknown_keys

Bounds = tuple[float, float]
STEPS_MINUTES = (5, 10, 15, 30, 60)


def _bounds(value: Any) -> Any:  # noqa: ANN401
    """Read one number as an upper bound and a pair as lower and upper bound."""
    if isinstance(value, list | tuple) and len(value) == 2:
        return tuple(value)
    return (0.0, value)


class Limits(BaseModel):
    """Bounds of the design. One number is an upper bound, a pair is lower and upper, a pair of equals fixes.

    Attributes
    ----------
    solar_mw, battery_mwh, battery_mw : float or (float, float), optional
        [MWdc, MWh, MW]
    racks : float or (float, float), optional
        Racks installed.
    units : mapping of str to int or (int, int)
        Units per backup technology.
    land_acres : float, optional
        Most land for the array. [acres]
    co2_t_per_yr : float, optional
        Most emissions of the backup. [t/yr]
    months_to_power : float, optional
        Longest lead time of anything built. [months]
    battery_hours : (float, float), optional
        Battery energy over battery power; the library's shortest duration when left out. [h]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    solar_mw: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    battery_mwh: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    battery_mw: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    racks: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    units: Mapping[str, Annotated[tuple[int, int], BeforeValidator(_bounds)]] = Field(default_factory=dict)
    land_acres: float | None = Field(default=None, ge=0)
    co2_t_per_yr: float | None = Field(default=None, ge=0)
    months_to_power: float | None = Field(default=None, gt=0)
    battery_hours: Bounds | None = None


class Study(BaseModel):
    """One question: a place, a compute load and an uptime target.

    Parameters
    ----------
    site : Site
    racks : int, optional
        Racks contracted. Give this or `it_mw`.
    it_mw : float, optional
        Contracted IT power at the racks, network included; turned into racks, rounded up. [MW]
    rack : str or Rack
        Library name or entry.
    uptime : float
        Share of contracted rack-hours (or throughput, see `metric`) that must be served. [fraction]
    metric : {"rack", "compute"}
        ``rack``: load is shed rack by rack. ``compute``: racks are throttled along their throughput curve and
        the target holds for delivered throughput.
    use : {"training", "inference"}
        Sets the sustained draw as a share of the planning power.
    sustained_fraction : float, optional
        Overrides `use`. [fraction]
    throughput_curve : {"default", "conservative", "optimistic"}
        For ``metric="compute"``.
    weather : Weather, optional
        Generated when left out.
    weather_years, seed : int
        Years to generate and their seed; ignored when `weather` is given.
    step_minutes : int, optional
        Time step; that of the weather when left out. [min]
    pv, battery, facility, finance : str or library entry
    backup : sequence of str or Backup
        Technologies that may be built; empty for none.
    fuel_price_usd_per_mmbtu : mapping of str to float
        Overrides the library's price per fuel. [USD/MMBtu]
    co2_price_usd_per_t : float
        [USD/t]
    limits : Limits or mapping
    min_renewable_share : float, optional
        Least share of the load not met by backup. [fraction]
    delay_cost_usd_per_month : float
        What each month until first power costs, once. [USD/month]
    plant_age_yr : float
        Age at which the plant is sized, for solar degradation. [yr]
    construction_start, in_service : date
        Decide the tax credits.
    solar_profile : series, array or path, optional
        Own production profile, MW per MWdc at the bus; stands in for weather.
    load_profile : series, array or path, optional
        Own facility load of the contracted racks; stands in for racks x power x PUE. [MW at the bus]

    Raises
    ------
    InputError
        With every fault found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    site: Site
    uptime: float
    racks: int | None = None
    it_mw: float | None = None
    rack: Rack
    metric: Literal["rack", "compute"] = "rack"
    use: Literal["training", "inference"] = "training"
    sustained_fraction: float | None = Field(default=None, gt=0, le=1)
    throughput_curve: Literal["default", "conservative", "optimistic"] = "default"
    weather: InstanceOf[Weather] | None = None
    weather_years: int = Field(default=20, ge=1, le=2000)
    seed: int = Field(default=0, ge=0)
    step_minutes: int | None = None
    pv: Pv
    battery: Battery
    backup: tuple[Backup, ...]
    facility: Facility
    finance: Finance
    fuel_price_usd_per_mmbtu: Mapping[str, float] = Field(default_factory=dict)
    co2_price_usd_per_t: float = Field(default=0.0, ge=0)
    limits: Limits = Limits()
    min_renewable_share: float | None = Field(default=None, ge=0, le=1)
    delay_cost_usd_per_month: float = Field(default=0.0, ge=0)
    plant_age_yr: float = Field(default=10.0, ge=0, le=50)
    construction_start: date = date(2027, 1, 1)
    in_service: date = date(2028, 7, 1)
    solar_profile: Any = Field(default=None, repr=False)
    load_profile: Any = Field(default=None, repr=False)

    def __init__(self, **data: Any) -> None:  # noqa: ANN401
        faults = unknown_keys("study", data, type(self).model_fields)
        known = {key: value for key, value in data.items() if key in type(self).model_fields}
        known = _resolve(known, faults)
        faults += _faults(known)
        try:
            super().__init__(**known)
        except ValidationError as error:
            named = {_field(fault) for fault in faults}  # already said in better words
            found = faults_of(error, "study", type(self).model_fields)
            faults += [fault for fault in found if _field(fault) not in named]
        if not faults:
            faults = _cross_faults(self)
        if faults:
            raise InputError(faults, "Study()")

    @property
    def path(self) -> PowerPath:
        """Power path that goes with the array's coupling."""
        return library.power_path(self.pv.coupling)

    @property
    def sustained(self) -> float:
        """Sustained draw as a share of the planning power. [fraction]"""
        if self.sustained_fraction is not None:
            return self.sustained_fraction
        training = self.use == "training"
        return self.rack.sustained_fraction_training if training else self.rack.sustained_fraction_inference

    @property
    def rack_mw(self) -> float:
        """IT power of one rack in operation, network included. [MW]"""
        return self.rack.power_kw * (1 + self.rack.network_power_fraction) * self.sustained / 1000

    @property
    def contracted_racks(self) -> int:
        """Racks contracted: as given, or those that draw `it_mw`."""
        if self.racks is not None:
            return self.racks
        assert self.it_mw is not None  # one of the two is given, checked on construction
        return max(1, int(np.ceil(self.it_mw / self.rack_mw - 1e-9)))

    def fuel(self, backup: Backup) -> Fuel:
        """Fuel of a backup technology at this study's price."""
        fuel = library.fuel(backup.fuel)
        price = self.fuel_price_usd_per_mmbtu.get(fuel.name)
        return fuel if price is None else fuel.replace(price_usd_per_mmbtu=price)

    def replace(self, **changes: Any) -> Study:  # noqa: ANN401
        """Copy with some fields changed, validated again."""
        data = {
            name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set
        }
        return Study(**(data | changes))

    def to_dict(self) -> dict[str, Any]:
        """Everything but the time series, ready for JSON; profiles and weather appear as a description."""
        data = self.model_dump(mode="json", exclude={"weather", "solar_profile", "load_profile"})
        for name in ("solar_profile", "load_profile"):
            data[name] = None if getattr(self, name) is None else "own profile"
        data["weather"] = None if self.weather is None else self.weather.source.description
        return data

    def _repr_html_(self) -> str:
        """Show what is asked; of what is rarely set, only what was given."""
        site = self.site
        asked = f"{self.contracted_racks:,} × {self.rack.title}, {self.use}"
        own = f"{self.weather_years} generated years, seed {self.seed}"
        entries = {name: getattr(self, name).title for name in ("pv", "battery", "facility", "finance")}
        rows = [
            ("place", f"{site.name} ({site.latitude:.4f}, {site.longitude:.4f})"),
            ("compute", f"{asked}, {self.contracted_racks * self.rack_mw:,.1f} MW of IT load"),
            ("uptime", f"{self.uptime:g} by the metric “{self.metric}”"),
            ("weather", own if self.weather is None else self.weather.source.description),
            *entries.items(),
            ("backup", ", ".join(item.title for item in self.backup) or "none"),
        ]
        shown = {"site", "racks", "it_mw", "rack", "use", "uptime", "metric", "weather", "weather_years"}
        given = {
            name: "own profile" if name.endswith("_profile") else f"{getattr(self, name)}"
            for name in type(self).model_fields
            if name in self.model_fields_set - shown - {"seed", "backup", "limits", *entries}
        }
        limits = self.limits.model_dump(exclude_defaults=True)
        given |= {"limits": ", ".join(f"{name} {value}" for name, value in limits.items())} if limits else {}
        return table_html("Study", [*rows, *((name.replace("_", " "), text) for name, text in given.items())])


@dataclass(frozen=True)
class _Kind:
    """How a field that names library entries is resolved."""

    find: Any
    default: str


_ENTRIES = {
    "rack": _Kind(library.rack, "gb200_nvl72"),
    "pv": _Kind(library.pv, "tracker_ac"),
    "facility": _Kind(library.facility, "dry_cooler"),
    "finance": _Kind(library.finance, "default"),
}
# Cheap to run but late, dear to run but soon, cheap to own: the optimiser chooses among them.
DEFAULT_BACKUP = ("recip_medium", "mobile_gt", "diesel")


def _entry(find: Any, value: Any, faults: list[Fault], where: str) -> Any:  # noqa: ANN401
    """Look a name up; anything else goes to pydantic as it is."""
    if not isinstance(value, str):
        return value
    try:
        return find(value)
    except InputError as error:
        faults += [Fault(where, fault.found, fault.allowed, fault.remedy) for fault in error.faults]
        return value


def _field(fault: Fault) -> str:
    """Field of the study that a fault is about: ``backup`` for ``study.backup[0]``."""
    return re.split(r"[.\[]", fault.where.removeprefix("study."))[0]


def _resolve(data: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Replace library names by entries and fill in the defaults that depend on each other."""
    for name, kind in _ENTRIES.items():
        data[name] = _entry(kind.find, data.get(name, kind.default), faults, f"study.{name}")
    coupling = getattr(data["pv"], "coupling", "ac")
    battery = data.get("battery", "lfp")
    if battery == "lfp" and coupling == "dc":
        battery = "lfp_dc"  # the same cells, priced and rated for the DC bus
    data["battery"] = _entry(library.battery, battery, faults, "study.battery")
    backup = data.get("backup", DEFAULT_BACKUP)
    backup = [backup] if isinstance(backup, str | Backup) else list(backup or ())
    data["backup"] = tuple(
        _entry(library.backup, item, faults, f"study.backup[{number}]") for number, item in enumerate(backup)
    )
    limits = data.get("limits")
    if isinstance(limits, Mapping):
        faults += unknown_keys("study.limits", limits, Limits.model_fields)
        data["limits"] = {key: value for key, value in limits.items() if key in Limits.model_fields}
    if isinstance(data.get("site"), Mapping):
        try:
            data["site"] = Site(**data["site"])
        except InputError as error:
            faults += error.faults
            data.pop("site")
    return data


def _faults(data: dict[str, Any]) -> list[Fault]:
    """Faults that deserve more sense than a type checker can give."""
    faults: list[Fault] = []
    uptime = data.get("uptime")
    if isinstance(uptime, int | float) and not 0 < uptime < 1:
        remedy = f"Did you mean {uptime / 100:.10g}?" if 1 < uptime < 100 else ""
        if uptime in (1, 100):
            remedy = "No finite plant is never down; try 0.9999."
        faults.append(Fault("study.uptime", f"{uptime:g}", "must be a fraction in (0, 1)", remedy))
    racks, it_mw = data.get("racks"), data.get("it_mw")
    if racks is None and it_mw is None:
        faults.append(
            Fault("study.racks", "nothing", "give racks, or it_mw", "For example racks=700 or it_mw=100.")
        )
    if racks is not None and it_mw is not None:
        faults.append(
            Fault("study.racks", "both racks and it_mw", "one of the two is needed", "Leave one out.")
        )
    if isinstance(racks, int | float) and (racks < 1 or racks != int(racks)):
        faults.append(Fault("study.racks", f"{racks:g}", "must be a whole number of at least 1"))
    if isinstance(it_mw, int | float) and not 0 < it_mw <= 20_000:
        faults.append(Fault("study.it_mw", f"{it_mw:g}", "must be in (0, 20000] MW"))
    step = data.get("step_minutes")
    if step is not None and step not in STEPS_MINUTES:
        faults.append(Fault("study.step_minutes", repr(step), f"must be one of {STEPS_MINUTES} min"))
    return faults


def _cross_faults(study: Study) -> list[Fault]:
    """Faults between fields."""
    faults: list[Fault] = []
    if study.battery.coupling != study.pv.coupling:
        other = "lfp_dc" if study.pv.coupling == "dc" else "lfp"
        allowed = f"must be {study.pv.coupling.upper()}-coupled like pv={study.pv.name!r}"
        faults.append(Fault("study.battery", repr(study.battery.name), allowed, f"Use battery={other!r}."))
    names = [backup.name for backup in study.backup]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults += [Fault("study.backup", f"{name!r} twice", "each technology may appear once") for name in twice]
    for name in study.limits.units:
        if name not in names:
            remedy = nearest(name, names)
            faults.append(Fault(f"study.limits.units.{name}", repr(name), f"must be one of {names}", remedy))
    fuels = sorted({backup.fuel for backup in study.backup})
    for name, price in study.fuel_price_usd_per_mmbtu.items():
        where = f"study.fuel_price_usd_per_mmbtu.{name}"
        if name not in fuels:
            faults.append(
                Fault(where, repr(name), f"must be a fuel of this study: {fuels}", nearest(name, fuels))
            )
        elif not 0 <= price <= 500:
            faults.append(Fault(where, f"{price:g}", "must be in [0, 500] USD/MMBtu"))
    for name in ("solar_mw", "battery_mwh", "battery_mw", "racks", "battery_hours"):
        bounds = getattr(study.limits, name)
        if bounds is not None and not 0 <= bounds[0] <= bounds[1]:
            faults.append(
                Fault(f"study.limits.{name}", f"{bounds}", "must be (lower, upper) with 0 <= lower <= upper")
            )
    for name, pair in study.limits.units.items():
        if not 0 <= pair[0] <= pair[1]:
            faults.append(
                Fault(f"study.limits.units.{name}", f"{pair}", "must be (lower, upper), 0 <= lower <= upper")
            )
    most = study.limits.racks
    if most is not None and most[1] < study.contracted_racks:
        faults.append(
            Fault(
                "study.limits.racks",
                f"{most[1]:g}",
                f"must allow the {study.contracted_racks} contracted racks",
            )
        )
    if study.weather is not None and study.solar_profile is not None:
        faults.append(Fault("study.solar_profile", "a profile and weather", "give one of the two"))
    if study.in_service < study.construction_start:
        allowed = f"must not be before construction_start ({study.construction_start})"
        faults.append(Fault("study.in_service", f"{study.in_service}", allowed))
    return faults
