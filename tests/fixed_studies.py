"""Fixed studies on every path of the product, and all their figures to the last bit.

A change that should change no result is held against the state before it, on one machine::

    python tests/fixed_studies.py --write before.npz        # in the state before
    python tests/fixed_studies.py --compare before.npz      # in the state after

One line a study gives its name and a hash of all its figures, whatever they are called; ``--compare`` names
every figure that differs. A figure that is gone is looked for under the new names by its value, and where it
went is said; so is what is new.

``--reference tests/data/fixed_studies.json`` writes hashes and main figures; ``tests/test_fixed_studies.py``
holds them against other machines too, as far as that can be. Hashes of solved studies hold on one machine
only: processors and versions of a library differ in the last bit of a sine.

Only the public face is used, so that the script runs on any state of the code.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import sitedesign as sd

#: What a result says beside its figures: how long it took, with what, and what was asked.
_NO_FIGURES = re.compile(r"(^|\.)(solve_seconds|provenance\.versions|study|solve_options|format)(\.|$)")
EL_PASO = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
RICHMOND = sd.Site(latitude=37.54, longitude=-77.44, name="Richmond, VA")
HOURS = 8760
# Numbers of the library itself: figures of regions may be amended without a change of any method
OWN: dict[str, Any] = {"region": None} if "region" in sd.Study.model_fields else {}

Results = dict[str, Any]


def bound() -> Results:
    """Three technologies, spare racks, a share of sun, prices of delay and CO2: the bound of cuts."""
    asked = {"min_renewable_share": 0.3, "delay_cost_usd_per_month": 1e5, "co2_price_usd_per_t": 20.0}
    asked |= {"racks": 200, "uptime": 0.999, "weather_years": 3, "seed": 1}
    return {
        "bound": sd.solve(site=EL_PASO, **OWN, certify=False, **asked),
        "capped": sd.solve(
            site=RICHMOND, **OWN, racks=200, uptime=0.99, weather_years=2, seed=2, certify=False,
            limits={"co2_t_per_yr": 60_000, "land_acres": 500, "battery_hours": (2, 8)},
            fuel_price_usd_per_mmbtu={"natural_gas": 7.0},
        ),
    }  # fmt: skip


def hour_by_hour() -> Results:
    """One year as the rows of one model, with a unit that is built whatever it costs."""
    design = sd.solve(
        site=EL_PASO, **OWN, racks=200, uptime=0.99, weather_years=1, seed=3, backup=["recip_medium"],
        limits={"units": {"recip_medium": (1, 1)}}, method="extensive",
    )  # fmt: skip
    return {"design": design}


def island() -> Results:
    """Sun and battery alone in quarter hours: the bound, and the same plant with and without foresight."""
    study = sd.Study(
        site=EL_PASO, **OWN, racks=50, uptime=0.95, weather_years=2, seed=4, backup=[], step_minutes=15
    )
    design = sd.solve(study, certify=False)
    plant = {"solar_mw": 60.0, "battery_mwh": 200.0, "battery_mw": 25.0}
    return {
        "bound": design,
        "foresight": sd.evaluate(study, **plant, operation="foresight"),
        "greedy": sd.evaluate(study, **plant, operation="greedy"),
    }


def failures() -> Results:
    """A plant of several units under sampled outages, by several operators, and what it keeps on fresh years.

    The years are given, eight of them, so that the certificates draw theirs from a record.
    """
    weather = sd.Weather.generate(RICHMOND, years=8, seed=5)
    study = sd.Study(
        site=RICHMOND,
        **OWN,
        racks=300,
        uptime=0.99,
        weather=weather,
        backup=["recip_medium", "diesel"],
        seed=6,
    )
    plant = {"solar_mw": 100.0, "battery_mwh": 250.0, "battery_mw": 40.0, "racks": 310}
    plant["backup"] = {"recip_medium": 2, "diesel": 6}
    greedy = sd.Controller(kind="greedy")
    usual = sd.evaluate(study, **plant, operation="causal")
    blind = sd.evaluate(
        study, **plant, operation="causal", controller=greedy, forecast=sd.Forecast(kind="persistence")
    )
    perfect = sd.Forecast(kind="perfect")
    return {
        "usual": usual,
        "blind": blind,
        "certificate": sd.certify(usual, study, years=12, draws=2),
        "of greedy": sd.certify(blind, study, years=8, draws=3, seed=9, attribute=False),
        "what if": sd.certify(
            usual, study, years=8, draws=2, without=["fuel", "battery"], forecast=perfect, attribute=False
        ),
        "converged": sd.certify(usual, study, years=60, draws=2, attribute=False, stop_when_converged=True),
    }


def certified() -> Results:
    """The whole way to a certified design by the standard effort: search, certificate, causes, gap."""
    return {
        "design": sd.solve(
            site=EL_PASO, **OWN, racks=150, uptime=0.97, weather_years=2, seed=7, backup=["recip_medium"]
        )
    }


def certified_in_14_months() -> Results:
    """A certified design that must not wait for engines, by the screening effort."""
    design = sd.solve(
        site=EL_PASO, **OWN, racks=200, uptime=0.99, weather_years=2, seed=8, effort="screening",
        limits={"months_to_power": 14},
    )  # fmt: skip
    return {"design": design}


def classes() -> Results:
    """Training that throttles, inference that does not, best effort: the bound, operation, certificate."""
    asked = [
        sd.LoadClass(name="training", racks=120, uptime=0.97, metric="compute"),
        sd.LoadClass(name="inference", racks=60, uptime=0.995, use="inference"),
        sd.LoadClass(name="batch", racks=30, uptime=None),
    ]
    study = sd.Study(site=EL_PASO, **OWN, classes=asked, weather_years=3, seed=9)
    design = sd.solve(study, certify=False)
    plant = {"solar_mw": 70.0, "battery_mwh": 200.0, "battery_mw": 30.0, "backup": {"recip_medium": 1}}
    operated = sd.evaluate(study, **plant, operation="causal")
    return {
        "bound": design,
        "operated": operated,
        "certificate": sd.certify(operated, study, years=10, draws=2),
        "of the bound": sd.certify(design, years=10, draws=1, attribute=False),
    }


def compute_cost() -> Results:
    """The uptime worth buying, by the rack-hour's cost and by a price of lost compute; shared work."""
    asked = {"site": EL_PASO, **OWN, "racks": 100, "weather_years": 2, "seed": 10, "certify": False}
    asked["limits"] = {"months_to_power": 14}
    return {
        "cheapest rack-hour": sd.solve(objective="compute_cost", **asked),
        "priced": sd.solve(objective="compute_cost", lost_compute_usd_per_rack_h=60.0, **asked),
        "shared": sd.solve(uptime=0.99, metric="compute", spares="share", **asked),
    }


def wind_bound() -> Results:
    """Two kinds of turbines beside the array: the bound, and a given farm without look-ahead."""
    asked = {"racks": 100, "uptime": 0.99, "weather_years": 2, "seed": 14}
    asked |= {"wind": ["onshore_6mw_170", "onshore_3mw_148"], "backup": ["diesel"]}
    study = sd.Study(site=EL_PASO, **OWN, **asked)
    plant = {"solar_mw": 30.0, "battery_mwh": 60.0, "battery_mw": 15.0, "wind_mw": {"onshore_6mw_170": 20.0}}
    return {"bound": sd.solve(study, certify=False), "greedy": sd.evaluate(study, **plant)}


def flexible_grid_bound() -> Results:
    """A flexible connection that also sells, its calls, prices in levels and bill: bound and given plant."""
    grid = {"model": "flexible", "mw": 12, "tariff": "ercot", "export_mw": 5, "co2_t_per_mwh": 0.35}
    study = sd.Study(
        site=EL_PASO, **OWN, racks=100, uptime=0.999, weather_years=2, seed=15, backup=["diesel"], grid=grid,
        co2_price_usd_per_t=10.0, limits={"months_to_power": 20},
    )  # fmt: skip
    plant = {"solar_mw": 20.0, "battery_mwh": 30.0, "battery_mw": 10.0, "grid_mw": 10.0, "sale_mw": 3.0}
    return {"bound": sd.solve(study, certify=False), "greedy": sd.evaluate(study, **plant)}


def sweeps() -> Results:
    """Frontiers over a target, a limit and a price, and panels against batteries."""
    study = sd.Study(
        site=RICHMOND, **OWN, racks=200, uptime=0.97, weather_years=2, seed=11, min_renewable_share=0.5
    )
    return {
        "uptime": sd.frontier(study, "uptime", [0.9, 0.97, 0.99]),
        "renewable share": sd.frontier(study, "min_renewable_share", [0.2, 0.6]),
        "battery price": sd.frontier(study, "battery price", [90, 180]),
        "gas price": sd.frontier(study, "gas price", [3, 9]),
        "tradeoff": sd.tradeoff(study, points=3),
    }


def batch() -> Results:
    """Two sites by their bound, the better one certified in a second stage; columns change the question."""
    sites = pd.DataFrame(
        {
            "name": ["El Paso, TX", "Richmond, VA"],
            "latitude": [EL_PASO.latitude, RICHMOND.latitude],
            "longitude": [EL_PASO.longitude, RICHMOND.longitude],
            "uptime": [0.95, 0.97],
            "gas_price": [3.0, 5.0],
        }
    )
    asked = {
        "racks": 60,
        "weather_years": 2,
        "seed": 12,
        "limits": {"months_to_power": 14},
        "min_renewable_share": 0.6,
    }
    return {"sites": sd.solve_many(sites, certify_best=1, effort="screening", **OWN, **asked)}


def power_paths() -> Results:
    """AC against DC by contracted megawatts, and the relaxations that shares of time need."""
    asked = {"site": EL_PASO, **OWN, "it_mw": 20, "weather_years": 2, "seed": 13, "certify": False}
    return {
        "paths": sd.solve(uptime=0.99, pv=["tracker_ac", "fixed_dc"], battery=["lfp", "lfp_dc"], **asked),
        "site": sd.solve(uptime=0.98, metric="site", **asked),
        "floor": sd.solve(uptime=0.99, metric="floor", **asked),
    }


def own_series() -> Results:
    """Sun and battery replayed on a load and a sun of their own: nothing but sums, products and comparisons.

    No unit, whose power would depend on generated temperatures.
    """
    study = sd.Study(
        site=EL_PASO, **OWN, racks=100, uptime=0.9, backup=[], solar_profile=_sun(), load_profile=_load()
    )
    return {"greedy": sd.evaluate(study, solar_mw=56.0, battery_mwh=144.0, battery_mw=12.0)}


def _sun() -> np.ndarray:
    """Two years of sun in 64ths, days of many kinds one after the other, none computed. [MW/MWdc]"""
    hour, day = np.arange(24), np.arange(2 * 365)
    shape = np.clip(36 - (hour - 12) ** 2, 0, None) / 36  # a parabola over twelve hours
    cloud = (day * 37 % 101) / 128 + 0.21
    return (np.round(np.outer(cloud, shape) * 64) / 64).reshape(2, HOURS)


def _load() -> np.ndarray:
    """Two years of load in 64ths of a megawatt around what the racks draw. [MW]"""
    return 14.0 + (np.arange(2 * HOURS) * 7 % 64).reshape(2, HOURS) / 64


STUDIES: tuple[Callable[[], Results], ...] = (
    own_series, island, bound, hour_by_hour, power_paths, classes, compute_cost, sweeps, failures, batch,
    wind_bound, flexible_grid_bound, certified_in_14_months, certified,
)  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    """Every figure of a study's results by its path: numbers, and arrays where there is one for each step."""
    found: dict[str, Any] = {}
    for name, result in results.items():
        found |= dict(_flat(name, _plain(result)))
        dispatch = getattr(result, "dispatch", None)
        if dispatch is not None:
            arrays = {str(column): dispatch[column].to_numpy() for column in dispatch.columns}
            found |= {
                f"{name}.dispatch.{key}": array for key, array in arrays.items() if array.dtype.kind in "fiub"
            }
    return found


def _plain(result: Any) -> Any:
    """Put a public result in dicts, lists and scalars."""
    if isinstance(result, pd.DataFrame):
        return {str(column): result[column].tolist() for column in result.columns}
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return dataclasses.asdict(result)
    return result.to_dict()


def _flat(path: str, node: Any) -> Iterator[tuple[str, Any]]:
    """Walk to every number; words are no figures, save dates and what JSON has no number for."""
    if _NO_FIGURES.search(path):
        return
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _flat(f"{path}.{key}", value)
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from _flat(f"{path}.{number}", value)
    elif node is None or isinstance(node, bool | int | float | np.generic | np.ndarray):
        yield path, node
    elif isinstance(node, str) and node in ("NaN", "Infinity", "-Infinity"):
        yield path, float(node)
    elif isinstance(node, str | pd.Timestamp) and re.match(r"\d{4}-\d\d-\d\d", str(node)):
        yield path, f"date {node}"


def exact(value: Any) -> str:
    """Give a figure to the last bit, as text."""
    if isinstance(value, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype.str}{value.shape} {content}"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value.hex()
    return json.dumps(value)


def digest(found: dict[str, Any]) -> str:
    """Hash of all figures, whatever they are called and in whatever order they come."""
    return hashlib.sha256("\n".join(sorted(exact(value) for value in found.values())).encode()).hexdigest()


def main_figures(results: Results) -> dict[str, float]:
    """Give what a reader looks at first, for a test that allows for rounding."""
    wanted = (
        "solar_mw", "battery_mwh", "battery_mw", "racks", "cost_usd_per_yr", "capital_usd", "renewable_share",
        "delivered_share", "co2_t_per_yr", "lcoe_usd_per_mwh", "usd_per_rack_h", "objective_usd_per_yr",
        "bound_usd_per_yr", "uptime_price_usd_per_mwh", "operating_cost_usd_per_yr",
    )  # fmt: skip
    found: dict[str, float] = {}
    for name, result in results.items():
        if isinstance(result, pd.DataFrame):
            for column in result.columns.intersection(wanted):
                found |= {
                    f"{name}.{column}.{row}": value for row, value in enumerate(result[column].tolist())
                }
            continue
        found |= {f"{name}.{key}": getattr(result, key) for key in wanted if hasattr(result, key)}
        found |= {f"{name}.units.{key}": value for key, value in getattr(result, "backup", {}).items()}
        found[f"{name}.uptime"] = result.uptime.value
        found[f"{name}.uptime_error"] = result.uptime.standard_error
    return {key: value for key, value in found.items() if value is not None and value == value}


def write(path: Path, studies: dict[str, dict[str, Any]]) -> None:
    """Keep every figure of the studies in one file."""
    arrays, scalars = {}, {}
    for name, found in studies.items():
        arrays |= {f"{name}|{key}": item for key, item in found.items() if isinstance(item, np.ndarray)}
        scalars[name] = {key: exact(item) for key, item in found.items() if not isinstance(item, np.ndarray)}
    with path.open("wb") as file:
        np.savez_compressed(file, scalars=np.array(json.dumps(scalars)), **arrays)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Read what :func:`write` wrote; scalars come as exact text."""
    with np.load(path) as kept:
        studies: dict[str, dict[str, Any]] = json.loads(str(kept["scalars"]))
        for key in kept.files:
            if "|" in key:
                study, name = key.split("|", 1)
                studies[study][name] = kept[key]
    return studies


def compare(before: dict[str, Any], after: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Give what differs between two sets of figures, and which figures only changed their names."""
    old = {path: _text(value) for path, value in before.items()}
    new = {path: _text(value) for path, value in after.items()}
    differs = [
        f"{path}: {_shown(before[path], after[path])}"
        for path in old.keys() & new.keys()
        if old[path] != new[path]
    ]
    renamed: Counter[str] = Counter()
    free = {path for path in new if path not in old}
    for path in sorted(old.keys() - new.keys()):
        alike = [name for name in free if new[name] == old[path]]
        if not alike:
            differs.append(f"{path}: gone, and nothing new has its value {_short(before[path])}")
            continue
        to = max(sorted(alike), key=lambda name: _likeness(path, name))
        free.remove(to)
        renamed[_change(path, to)] += 1
    moved = [f"renamed: {change} ({count} figures)" for change, count in sorted(renamed.items())]
    moved += [f"new: {path} = {_short(after[path])}" for path in sorted(free)]
    return sorted(differs), moved


def _change(path: str, to: str) -> str:
    """What changed in the name of a figure; what both names begin and end with is left out."""
    a, b = path.split("."), to.split(".")
    while len(a) > 1 and len(b) > 1 and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return f"{'.'.join(a)} -> {'.'.join(b)}"


def _likeness(one: str, other: str) -> tuple[int, int]:
    """Parts that two paths share, the last ones first."""
    a, b = one.split("."), other.split(".")
    last = 0
    while last < min(len(a), len(b)) and a[-1 - last] == b[-1 - last]:
        last += 1
    return last, len(set(a) & set(b))


def _text(value: Any) -> str:
    return value if isinstance(value, str) and not value.startswith("date ") else exact(value)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array of {value.size}"
    if isinstance(value, str) and re.match(r"-?0x", value):
        return f"{float.fromhex(value)!r}"
    return f"{value}"


def _shown(before: Any, after: Any) -> str:
    """Say where and how far two values of one figure lie apart."""
    if isinstance(before, np.ndarray) and isinstance(after, np.ndarray) and before.shape == after.shape:
        places = np.flatnonzero(before != after)
        if not places.size:
            return "arrays differ in type or in the sign of a zero"
        far = np.abs(after[places] - before[places]).max()
        at = places[0]
        return (
            f"{places.size} of {before.size} entries differ, by {far:.3g} at most, "
            f"first at {at}: {before[at]!r} -> {after[at]!r}"
        )
    return f"{_short(before)} -> {_short(exact(after) if isinstance(after, float) else after)}"


def run(names: list[str], say: Callable[[str], None]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Solve the studies named; give all figures of each, and what the reference keeps of it."""
    everything, reference = {}, {}
    for study in STUDIES:
        name = study.__name__
        if name not in names:
            continue
        begun = time.process_time()
        results = study()
        everything[name] = figures(results)
        reference[name] = {"sha256": digest(everything[name]), "figures": main_figures(results)}
        if study is own_series:
            arrays = {key: item for key, item in everything[name].items() if isinstance(item, np.ndarray)}
            reference[name]["arrays"] = {key: exact(item) for key, item in arrays.items()}
        print(f"{name} {reference[name]['sha256']}", flush=True)
        say(f"  {len(everything[name])} figures, {time.process_time() - begun:.1f} CPU s")
    return everything, reference


def main(arguments: list[str] | None = None) -> int:
    """Run from the terminal; 1 where a figure differs."""
    known = [study.__name__ for study in STUDIES]
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument(
        "studies", nargs="*", metavar="STUDY", help=f"all of them when left out: {', '.join(known)}"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep every figure (.npz)")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="name every figure that differs from FILE"
    )
    parser.add_argument(
        "--reference", type=Path, metavar="FILE", help="write hashes and main figures (.json)"
    )
    parser.add_argument("--quiet", action="store_true", help="print the hashes alone")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.studies) - set(known))
    if unknown:
        parser.error(f"no such study: {', '.join(unknown)}; there are {', '.join(known)}")
    say = (lambda _: None) if given.quiet else (lambda text: print(text, file=sys.stderr, flush=True))
    everything, reference = run(given.studies or known, say)
    if given.write:
        write(given.write, everything)
    if given.reference:
        given.reference.write_text(json.dumps(reference, indent=1, sort_keys=True) + "\n")
    return _report(read(given.compare), everything) if given.compare else 0


def _report(kept: dict[str, dict[str, Any]], everything: dict[str, dict[str, Any]]) -> int:
    """Print what differs from what was kept, study by study."""
    bad = 0
    for name, found in everything.items():
        differs, moved = compare(kept[name], found) if name in kept else (["not in the file"], [])
        bad += len(differs)
        print(f"{name}: {f'{len(differs)} figures differ' if differs else 'equal to the last bit'}")
        print("".join(f"  {line}\n" for line in (*differs, *moved)), end="")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
