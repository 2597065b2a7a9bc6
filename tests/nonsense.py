"""Everything that can be called from outside, right arguments for it, and nonsense to put in their place.

Entry points are found, not listed: a new public function, method, command or option is tried as soon as it is
there. What would take long behind the gate is replaced by `reached`, so that nothing is solved.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np
import pandas as pd
import typer
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign import cli
from sitedesign.batch import one_site, screening
from sitedesign.batch.engine import SerialEngine
from sitedesign.components.battery_wear import BatteryDuty
from sitedesign.results.battery_life import life_of
from sitedesign.results.plant_life import AtAge
from sitedesign.weather.services.providers import Failure
from tests.report_designs import make_certificate, make_design
from tests.roadmaps import roadmap as make_roadmap

# Nonsense -------------------------------------------------------------------------------------------------


class Unspeakable:
    """Something that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")

    def __bool__(self) -> bool:
        raise RuntimeError("neither")


def nested(levels: int) -> list[Any]:
    """List in list in list."""
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


NUMBERS: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, 1e30, -1e30, 1e308, 5e-324, 0, -1, 0.5, 2.5, -0.0, 10**18, -(10**18),
    2**63, 10**400, True, False, 1j, decimal.Decimal("NaN"), fractions.Fraction(1, 3), np.float64("nan"),
    np.float32(0.5), np.int64(-3), np.bool_(True), np.datetime64("NaT"),
)  # fmt: skip
TEXTS: tuple[str, ...] = (
    "", " ", "nan", "-inf", "1e999", "-5", "7", "none", "x" * 5000, "a\0b", "\n", "日本", "\udcff", "'\"<b>{",
    "../..", "nowhere/at/all.csv", "recip_medium", "[1, 2", "1,2", "::", "=", "a=b=c",
)  # fmt: skip
KINDS: tuple[Any, ...] = (
    None, [], [1], [None], [[]], ["diesel", 3], {}, {3: 4}, {None: None}, {"diesel": 3}, {"x": {"y": []}},
    b"x", set(), object(), Unspeakable(), print, ..., range(3), np.array([1.0, 2.0]), np.array(5.0),
    np.zeros((2, 2)), pd.DataFrame(), pd.DataFrame({"latitude": []}), pd.Series(["a"]), pd.NaT, pd.NA,
    nested(3000), Path("x" * 5000), Path("nowhere"), Path("/proc/self/fdinfo"), Path("/dev/null"),
    Path("/proc/self/mem"),    datetime.date(1, 1, 1), datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC),
    (5, 1), (math.nan, math.inf),
    (-1, "x"),
)  # fmt: skip
NONSENSE: tuple[Any, ...] = (*NUMBERS, *TEXTS, *KINDS)

# Entry points ---------------------------------------------------------------------------------------------

#: Classes whose objects are handed out, not made: only what they can do is an entry.
HANDED_OUT = ("Alternatives", "BatteryLife", "CashFlow", "Certificate", "Design", "Estimate", "Evaluation",
              "Fault", "InfeasibleDesign", "InputError", "NotProvenOptimal", "PlantLife", "Portfolio",
              "Roadmap", "Sensitivity", "SiteDesignError")  # fmt: skip
#: Made by the library from its files and by those who add to it.
_DECLARATIONS = ("Number", "Quantity", "EntryTable", "Entry")
#: Of an entry, for its own checks.
_INSIDE = ("contradictions", "faults", "may_be_none", "wrong")


@dataclass(frozen=True)
class Entry:
    """Something to call: its name, how, and whether it belongs to an object of `Good`."""

    name: str
    function: Callable[..., Any]
    owner: str = ""

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """Parameters without ``self``; of a model, whose signature is made up, its fields as keywords."""
        if hasattr(self.function, "model_fields"):
            return [inspect.Parameter("data", inspect.Parameter.VAR_KEYWORD)]
        found = list(inspect.signature(inspect.unwrap(self.function)).parameters.values())
        return [item for item in found if item.name not in ("self", "cls")]


def entries() -> list[Entry]:
    """Every public function, class and method."""
    found: list[Entry] = []
    for prefix, module, names in (
        ("", sd, sd.__all__),
        ("library.", sd.library, sd.library.__all__),
    ):
        for name in names:
            thing = getattr(module, name)
            if inspect.isclass(thing):
                if name not in (*HANDED_OUT, *_DECLARATIONS):
                    found.append(Entry(prefix + name, thing))
                found += methods(prefix + name, thing)
            elif callable(thing):
                found.append(Entry(prefix + name, thing))
    return found


def methods(name: str, cls: type) -> list[Entry]:
    """Methods that a class adds to those of its framework and that take something."""
    found = []
    for key, raw in inspect.getmembers_static(cls):
        if key.startswith("_") or key in _INSIDE or not callable(getattr(cls, key)) or inspect.isclass(raw):
            continue
        function = inspect.unwrap(getattr(raw, "__func__", raw))
        if not str(getattr(function, "__module__", "")).startswith("sitedesign."):
            continue
        free = isinstance(raw, staticmethod | classmethod)
        entry = Entry(f"{name}.{key}", getattr(cls, key), "" if free else name)
        if entry.parameters:
            found.append(entry)
    return found


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words."""
    command = command or typer.main.get_command(cli.app)
    inside = getattr(command, "commands", None)
    if inside is None:
        yield path, command
        return
    for name, item in inside.items():
        yield from commands(item, (*path, name))


# Right arguments ------------------------------------------------------------------------------------------


class Good:
    """Right values by name of a parameter, and the objects that methods belong to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        site = sd.Site(latitude=31.76, longitude=-106.49)
        study = sd.Study(site=site, racks=7, uptime=0.9, backup=["recip_fast"], weather_years=1)
        weather = sd.Weather.generate(site, years=1)
        design = make_design(
            years=1, racks=7, backup=["recip_fast"], units=(1,), solar_mw=5.0, battery_mwh=9.0
        )
        design._study = None
        from sitedesign.study.toml_file import write_template

        self.study_file = write_template(folder / "good.toml", racks=7, uptime=0.9)
        self.design_file = design.save(folder / "design.json")
        self.sites_file = folder / "sites.csv"
        self.sites_file.write_text("latitude,longitude\n31.76,-106.49\n", encoding="utf-8")
        self.results = pd.DataFrame(
            {"key": ["a", "b"], "name": ["a", "b"], "latitude": [31.0, 32.0], "longitude": [-106.0, -105.0],
             "status": ["solved", "bad input"], "cost_usd_per_yr": [1.0, math.nan], "error": ["", "x"]}
        )  # fmt: skip
        self.results_file = folder / "results.parquet"
        self.results.to_parquet(self.results_file)
        self.weather_file = weather.write(folder / "weather.csv")
        number = {"key": "lfp.life_yr", "label": "battery: economic life", "unit": "yr", "value": 20.0}
        number |= {"confidence": "M", "source": "nobody", "low": {"value": 12.0}, "high": {"value": 20.0}}
        sensitivity = sd.Sensitivity(
            site_name="a", cost_usd_per_yr=1.0, bound_usd_per_yr=1.0, numbers=(number,)
        )
        least = {"name": "least_cost", "unit": "USD/yr", "value": 1.0, "beyond": None, "cost_usd_per_yr": 1.0}
        least |= {"resources_mw": {"solar": 1.0}, "backup": {}, "battery_mwh": 1.0, "battery_mw": 1.0}
        least |= {"racks": 1, "months_to_power": 9.0, "co2_t_per_yr": 0.0}
        alternatives = sd.Alternatives(site_name="a", within=0.02, least=least, plants=())
        self.sensitivity_file = sensitivity.save(folder / "sensitivity.json")
        shares = (0.05,) * 20
        worn = life_of(study.battery, study.finance, 9.0, BatteryDuty(99.0, 0.5, shares), 9, "augment")
        aged = sd.PlantLife(0.9, (AtAge(1.0, design.uptime, True, (), 1.0, 1.0, 1.0, 0.0),))
        plan = make_roadmap()
        self.roadmap_file = plan.save(folder / "roadmap.json")
        costs = {"contracted_racks": 7.0, "it_mw": 1.0, "site_cost_usd_per_yr": 1e6}
        fleet = sd.portfolio(self.results.assign(**costs), racks=7, least_racks=1)
        self.portfolio_file = fleet.save(folder / "portfolio.json")
        self.library_file = folder / "mine.toml"
        self.library_file.write_text(
            'kind = "battery"\nextends = "lfp"\n[capex_usd_per_kwh]\nvalue = 150\nunit = "USD/kWh"\n',
            encoding="utf-8",
        )
        self.objects: dict[str, Any] = {
            "Study": study, "Weather": weather, "Design": design, "Evaluation": design,
            "Estimate": design.uptime, "Certificate": make_certificate(design), "Forecast": sd.Forecast(),
             "CashFlow": sd.cash_flow(design, price=50.0), "Terms": sd.Terms(years=9),
             "Controller": sd.Controller(), "Site": site, "Sensitivity": sensitivity,
            "Alternatives": alternatives, "BatteryLife": worn, "PlantLife": aged,
            "Grid": sd.Grid(tariff=50), "Tariff": sd.Tariff(energy=50), "When": sd.When(months=7),
            "EnergyCharge": sd.EnergyCharge(usd_per_mwh=50), "WireOutages": sd.WireOutages(),
            "DemandCharge": sd.DemandCharge(usd_per_kw_month=9),
            "Curtailment": sd.Curtailment(hours_per_yr=9), "Surplus": sd.Surplus(model="miner"),
            "Reserve": sd.Reserve(n_minus=1), "UnitRules": sd.UnitRules(min_down_h=1),
            "CoincidentCharge": sd.CoincidentCharge(usd_per_kw_yr=66),
            "Portfolio": fleet,
            "Roadmap": plan, "Ramp": sd.Ramp(steps={6: 7}), "Delivery": sd.Delivery(technology="solar"),
            "Rental": sd.Rental(technology="diesel", units=1, rent_usd_per_kw_month=9),
            "Scenario": sd.Scenario(months={"grid": 60}),
            "DateRange": sd.DateRange(technology="grid", p10_months=24, p90_months=60),
            "Limits": sd.Limits(), "LoadClass": sd.LoadClass(name="a", racks=1, uptime=0.9),
        }  # fmt: skip
        for name, cls in inspect.getmembers(sd.library, inspect.isclass):
            kind = {found: kind for kind, found in sd.library.KINDS.items()}.get(cls)
            if kind is not None:
                first = sd.library.names(kind)[0]
                self.objects[f"library.{name}"] = sd.library.entry(kind, first)
        self.objects["library.Entry"] = self.objects["library.Battery"]
        question = {"site": site, "racks": 7, "uptime": 0.9, "backup": ["recip_fast"], "weather_years": 1}
        self.values: dict[str, dict[str, Any]] = {
            "": {
                "site": site, "study": study, "design": design, "path": folder / "out.json", "years": 1,
                "seed": 1, "step_minutes": 60, "sites": [site], "results": self.results, "uptime": 0.9,
                "by": "cost_usd_per_yr", "over": "uptime", "values": [0.9], "solar_mw": 5, "battery_mwh": 9,
                "battery_mw": 3, "south": 31, "north": 32, "west": -107, "east": -106, "spacing": 1,
                "latitude": 31.76, "longitude": -106.49, "racks": 7, "name": "a", "kind": "battery",
                "changes": {}, "question": {}, "data": {}, "more": {}, "days": (3,), "rows": [0],
                "backup": {"recip_fast": 1}, "target": 0.9,
                "construction_start": datetime.date(2026, 1, 1), "in_service": datetime.date(2028, 1, 1),
                "confidence": 0.95, "field": "life_yr",
            },
            "solve": {"study": None, "question": question},
            "evaluate": {"question": {}},
            "tank_sizes": {
                "design": make_design(
                    years=1, racks=7, backup=["diesel"], units=(1,), solar_mw=5.0, battery_mwh=9.0
                ),
                "technology": "diesel", "hours": [12], "years": 2, "draws": 1,
            },
            "roadmap": {"study": None, "question": question, "ramp": {6: 7}},
            "Roadmap.load": {"path": self.roadmap_file}, "Roadmap.from_dict": {"data": plan.to_dict()},
            "Ramp.steady": {"racks": 7, "first_month": 3, "racks_per_month": 2}, "Ramp.racks": {"month": 3},
            "Certificate.cause_text": {"name": "weather"},
            "Limits": {"data": {}},
            "Tariff.bill": {"import_mw": [1.0] * 24},
            "Site": {"data": {"latitude": 31.76, "longitude": -106.49}},
            "Study": {"data": question},
            "LoadClass": {"data": {"name": "a", "racks": 1, "uptime": 0.9}},
            "read_study": {"path": self.study_file},
            "Design.load": {"path": self.design_file},
            "Design.from_dict": {"data": design.to_dict()},
            "Design.with_sensitivity": {"sensitivity": sensitivity},
            "Design.with_alternatives": {"found": alternatives},
            "Sensitivity.load": {"path": self.sensitivity_file},
            "Sensitivity.from_dict": {"data": sensitivity.to_dict()},
            "CashFlow.to_excel": {"path": folder / "flow.xlsx"},
            "Design.to_excel": {"path": folder / "design.xlsx"},
            "CashFlow.irr_by": {"year": 5},
            "CashFlow.sale_leaseback": {"margin_usd_per_yr": 1e5},
            "compare": {"designs": {"one": design}},
            "plant_life": {"ages": [1], "years": 1, "draws": 1},
            "Design.report": {"path": folder / "report.html"},
            "Weather.read": {"paths": [self.weather_file]},
            "Weather.write": {"path": folder / "again.csv"},
            "Weather.fetch": {"years": [2010]},
            "Study.fuel": {"backup": sd.library.backup("diesel")},
            "Study.local": {"entry": sd.library.battery("lfp")}, "Study.priced": {"name": "diesel"},
            "portfolio": {
                "candidates": self.results.assign(**costs), "study": None, "racks": 700, "question": {},
            },
            "Portfolio.load": {"path": self.portfolio_file}, "Portfolio.from_dict": {"data": fleet.to_dict()},
            "Portfolio.write_map": {"path": folder / "map.html"},
            "solve_many": {"question": {k: v for k, v in question.items() if k != "site"}, "study": None},
            "library.load": {"path": self.library_file},
            "library.entry": {"name": "lfp"},
            "library.show": {"name": "lfp"},
            "library.library_folder": {"kind": "models"},
            "library.itc_fraction": {"kind": "pv"},
        }  # fmt: skip
        for name, data in (
            ("Grid", {"tariff": 50}), ("Tariff", {"energy": 50}), ("EnergyCharge", {"usd_per_mwh": 50}),
            ("DemandCharge", {"usd_per_kw_month": 9}), ("CoincidentCharge", {"usd_per_kw_yr": 66}),
            ("When", {"months": 7}), ("Curtailment", {"hours_per_yr": 9}), ("WireOutages", {}),
            ("Terms", {"years": 9}), ("Ramp", {"steps": {6: 7}}), ("Delivery", {"technology": "solar"}),
            ("Rental", {"technology": "diesel", "units": 1, "rent_usd_per_kw_month": 9}),
            ("Scenario", {"months": {"grid": 60}}),
            ("DateRange", {"technology": "grid", "p10_months": 24, "p90_months": 60}),
        ):  # fmt: skip
            self.values[name] = self.values[f"{name}.from_dict"] = {"data": data}
        for kind in sd.library.KINDS:
            self.values[f"library.{kind}"] = {"name": sd.library.names(kind)[0]}
        for name, thing in self.objects.items():
            if name.startswith("library."):
                content = {field: getattr(thing, field) for field in type(thing).model_fields}
                self.values[name] = {"data": content}
        weather_fields = ("site", "step_minutes", "years", "ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c",
                          "wind_speed_m_s", "utc_offset_h", "source", "sun_offset_minutes")  # fmt: skip
        self.values["Weather"] = {field: getattr(weather, field) for field in weather_fields}

    def arguments(self, entry: Entry) -> dict[str, Any]:
        """Right value of every parameter that must be given, and keywords spread out."""
        known = self.values[""] | self.values.get(entry.name, {})
        found: dict[str, Any] = {}
        for item in entry.parameters:
            if item.kind is inspect.Parameter.VAR_KEYWORD:
                found |= known[item.name]
            elif item.kind is inspect.Parameter.VAR_POSITIONAL:
                continue
            elif item.default is inspect.Parameter.empty or item.name in self.values.get(entry.name, {}):
                assert item.name in known, f"{entry.name}: tell tests/nonsense.py a right {item.name!r}"
                found[item.name] = known[item.name]
        return found

    def names(self, entry: Entry) -> list[str]:
        """Names of everything that a call can be given."""
        found = dict.fromkeys(self.arguments(entry))
        for item in entry.parameters:
            if item.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
                found[item.name] = None
        fields = (sd.Study.model_fields if entry.name in ("solve", "evaluate", "Study", "solve_many",
                  "read_study", "Study.replace") else {})  # fmt: skip
        found |= dict.fromkeys(fields)
        found |= dict.fromkeys(getattr(entry.function, "model_fields", ()))
        return list(found)

    def call(self, entry: Entry, changes: dict[str, Any], extra: tuple[Any, ...] = ()) -> Any:
        """Call with some arguments replaced; `extra` stand without a name."""
        given = self.arguments(entry) | changes
        spread = [item for item in entry.parameters if item.kind is inspect.Parameter.VAR_POSITIONAL]
        if spread and entry.name == "Weather.read" and not extra:
            extra = tuple(self.values[entry.name]["paths"])
        function = entry.function
        if entry.owner:
            function = getattr(self.objects[entry.owner], entry.name.rpartition(".")[2])
        return function(*extra, **given)

    def option(self, words: tuple[str, ...], item: click.Parameter) -> list[str]:
        """Right words for a parameter of a command that must be given."""
        known = {
            "file": str(self.study_file), "design": str(self.design_file), "results": str(self.results_file),
            "files": str(self.weather_file), "sites": str(self.sites_file), "kind": "battery", "name": "lfp",
            "solar_mw": "5", "battery_mwh": "9", "battery_mw": "3", "over": "uptime", "values": "0.9",
            "lat": "31.76", "lon": "-106.49", "racks": "7", "out_file": str(self.folder / "out.html"),
        }  # fmt: skip
        if words == ("init",) and item.name == "file":
            known["file"] = str(self.folder / "new.toml")
        if words[0] == "weather" and item.name == "out_file":
            known["out_file"] = str(self.folder / "out.csv")
        if words == ("library", "check"):
            known["files"] = str(self.library_file)
        assert item.name in known, f"{' '.join(words)}: tell tests/nonsense.py a right {item.name!r}"
        value = known[item.name]
        return [value] if item.param_type_name == "argument" else [item.opts[0], value]


# Behind the gate ------------------------------------------------------------------------------------------

OURS = (sd.SiteDesignError,)


def reached(*_: Any, **__: Any) -> Any:
    """Stand for everything behind the gate that takes long."""
    raise sd.InfeasibleDesign("the gate let it through")


def prepared_and_reached(study: Any, *_: Any, **__: Any) -> Any:
    """Make the arrays of a study that is not too large, and go no further."""
    from sitedesign.case.build import build_case

    if study.weather_years <= 3 and (study.step_minutes or 60) >= 30:
        build_case(study)
    return reached()


@contextmanager
def nothing_solved() -> Iterator[None]:
    """Replace what takes long, starts processes, or asks the network."""
    here = lambda tasks, question, job, *_: SerialEngine(tasks, question, job)  # noqa: E731
    with ExitStack() as stack:
        for place, stand_in in (
            ("sitedesign.api.solve.prepared", prepared_and_reached),
            ("sitedesign.api.evaluate.build_case", prepared_and_reached),
            ("sitedesign.api.certify.build_case", prepared_and_reached),
            ("sitedesign.api.roadmap.question_of", prepared_and_reached),
            ("sitedesign.api.alternatives.build_case", prepared_and_reached),
            ("sitedesign.api.bound_sweep.build_case", prepared_and_reached),
            ("sitedesign.api.sensitivity.BoundSolver", prepared_and_reached),
            ("sitedesign.report.html.render_report", lambda *_, **__: "<html>"),
            ("sitedesign.batch.map.map_html", lambda *_, **__: "<html>"),
            ("sitedesign.weather.services.fetch._persist", lambda *_, **__: Failure("server", "no network")),
            ("sitedesign.cli.starting._planner", lambda: lambda **_: None),
        ):
            stack.enter_context(mock.patch(place, stand_in))
        stack.enter_context(mock.patch.object(one_site, "_solve", reached))
        stack.enter_context(mock.patch.object(screening, "check_main_guard", create=True))
        stack.enter_context(mock.patch.object(screening, "DaskEngine", here))
        yield


def run(words: list[str]) -> str:
    """Run a command; return what is wrong with the way it ended, if anything is."""
    result = CliRunner().invoke(cli.app, words, env={"COLUMNS": "200", "NO_COLOR": "1"}, input="word\n")
    text = result.stdout + result.stderr
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"{type(result.exception).__name__}: {result.exception}"
    nothing_built = result.exit_code == cli.FAILED and "No site with a design." in text  # of a batch
    if result.exit_code not in (0, 2, 3, 4) and not nothing_built:
        return f"exit code {result.exit_code}: {text[-300:]}"
    if result.exit_code and not text.strip():
        return "no word"
    for sign in ("Traceback", "pydantic", "Error:\n", "For further information"):
        if sign in text:
            return f"{sign!r} in {text[-500:]}"
    return ""
