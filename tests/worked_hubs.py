"""The worked questions of the notebook on hubs, certified: what its table says, made anew with

python -m tests.worked_hubs

which solves them (minutes of one core each), keeps their figures in ``tests/data/worked_hubs.json`` and
writes the table into the notebook. Names of questions solve only those.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import nbformat

import sitedesign as sd

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "07_hub.ipynb"
KEPT = ROOT / "tests" / "data" / "worked_hubs.json"
MARK = "<!-- certified -->"
HEAD = """| question | certified [M USD/yr] | bound [M USD/yr] | uptime | lower bound | plant |
|---|---|---|---|---|---|
"""


def questions() -> dict[str, sd.Study]:
    """Studies of the notebook, as its cell of questions makes them."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (cell,) = (cell for cell in notebook.cells if "questions" in cell.metadata.get("tags", ()))
    made: dict[str, Any] = {"sd": sd}
    exec(cell.source, made)
    return {name: made["asked"](name) for name in made["QUESTIONS"]}


def digest(study: sd.Study) -> str:
    """Hash of what the notebook asks, without the library's numbers behind it."""
    asked = {
        "site": study.site.name,
        "it_mw": study.it_mw,
        "uptime": study.uptime,
        "wind": [item.name for item in study.wind],
        "backup": [item.name for item in study.backup],
        "grid": None if study.grid is None else study.grid.to_dict(),
        "surplus": [item.to_dict() for item in study.surplus],
        "min_renewable_share": study.min_renewable_share,
        "years": [study.weather_years, study.seed],
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def figures(design: sd.Design) -> dict[str, Any]:
    """What the table says of a design."""
    certificate = design.certificate
    assert certificate is not None
    return {
        "cost_usd_per_yr": design.cost,
        "bound_usd_per_yr": design.bound,
        "uptime": certificate.uptime.value,
        "uptime_lower": certificate.uptime.lower_bound(certificate.confidence),
        "met": certificate.met,
        "resources_mw": design.resources_mw,
        "battery_mwh": design.battery_mwh,
        "battery_mw": design.battery_mw,
        "backup": {name: count for name, count in design.backup.items() if count},
        "imports_mw": design.imports_mw,
        "sinks_mw": design.sinks_mw,
        "racks": design.racks,
        "months_to_power": design.months_to_power,
        "slowest": design.slowest,
    }


def table(kept: dict[str, dict[str, Any]]) -> str:
    """Write the figures as the table of the notebook."""
    return HEAD + "\n".join(_row(name, found["figures"]) for name, found in kept.items())


def _row(name: str, found: dict[str, Any]) -> str:
    millions = [f"{found[key] / 1e6:,.1f}" for key in ("cost_usd_per_yr", "bound_usd_per_yr")]
    shares = [f"{found[key]:.3%}" for key in ("uptime", "uptime_lower")]
    return "| " + " | ".join([name, *millions, *shares, _plant(found)]) + " |"


def _plant(found: dict[str, Any]) -> str:
    solar, *farms = found["resources_mw"].values()
    parts = [f"{solar:,.0f} MWdc"] if solar >= 0.5 else []
    parts += [f"{mw:,.0f} MW of wind" for mw in farms if mw >= 0.5]
    parts += [f"{found['battery_mwh']:,.0f} MWh"] if found["battery_mwh"] >= 0.5 else []
    parts += [f"{count} × {name}" for name, count in found["backup"].items()]
    parts += [f"{mw:,.0f} MW of {name}" for name, mw in (found["imports_mw"] | found["sinks_mw"]).items()]
    return ", ".join(parts) + f"; {found['months_to_power']:.0f} months"


def read() -> dict[str, dict[str, Any]]:
    """Figures that are kept, by question."""
    if not KEPT.exists():
        return {}
    kept: dict[str, dict[str, Any]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return kept


def write_table() -> None:
    """Put the table into the notebook."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if MARK in cell.source:
            cell.source = cell.source.partition(MARK)[0] + f"{MARK}\n\n{table(read())}"
    nbformat.write(notebook, NOTEBOOK)


def main(names: list[str]) -> None:
    """Solve the questions named, or all."""
    asked = questions()
    for name in names or asked:
        design = sd.solve(asked[name], effort="screening")
        print(design, flush=True)
        kept = read() | {name: {"asked": digest(asked[name]), "figures": figures(design)}}
        ordered = {known: kept[known] for known in asked if known in kept}
        KEPT.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    write_table()


if __name__ == "__main__":
    main(sys.argv[1:])
