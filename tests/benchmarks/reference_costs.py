"""What the cheapest plants known cost: eight questions, searched long and from many seeds.

``tests/data/reference_costs.json`` keeps for each question what every search found that was made for it, and
the cheapest plant of earlier searches where these found none as cheap; the cheapest plant that was certified
is the reference. A search by the usual effort is held against it
(``tests/benchmarks/test_search_quality.py``). Anew, or with more seeds, which adds to what is there::

    python tests/benchmarks/reference_costs.py                       # all, by two long searches each: hours
    python tests/benchmarks/reference_costs.py gas --long 7 8 --usual 1 2 3 --screening 1

Weather is the same for every seed of a question: seeds change failures, forecasts, the years that a search is
made on and those of its certificate. Costs are means over the years of the search, operation under failures
included.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.certified.environment import environment_of
from sitedesign.certified.sizing_loop import SearchResult, size_then_search
from sitedesign.study.effort import EFFORTS, Effort

TABLE = Path(__file__).parents[1] / "data" / "reference_costs.json"
EL_PASO = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
RICHMOND = sd.Site(latitude=37.54, longitude=-77.44, name="Richmond, VA")
FARGO = sd.Site(latitude=46.88, longitude=-96.79, name="Fargo, ND")
SWEETWATER = sd.Site(latitude=32.47, longitude=-100.41, name="Sweetwater, TX")
#: What is asked; the library's own prices, which no amended figure of a region changes.
QUESTIONS: dict[str, dict[str, Any]] = {
    "gas": {"site": EL_PASO, "racks": 700, "uptime": 0.999},
    "four nines": {"site": EL_PASO, "racks": 700, "uptime": 0.9999},
    "in 14 months": {"site": EL_PASO, "racks": 700, "uptime": 0.999, "limits": {"months_to_power": 14}},
    "few large units": {"site": RICHMOND, "racks": 150, "uptime": 0.99, "backup": ["recip_medium"]},
    "diesel behind sun": {
        "site": EL_PASO, "racks": 200, "uptime": 0.99, "backup": ["diesel"], "min_renewable_share": 0.9,
    },
    "sun and battery": {"site": EL_PASO, "racks": 200, "uptime": 0.95, "backup": []},
    "cold gas": {"site": FARGO, "racks": 300, "uptime": 0.999},
    "wind": {"site": SWEETWATER, "racks": 700, "uptime": 0.999, "wind": ["onshore_6mw_170"]},
}  # fmt: skip
#: No bound and no causes: nothing but a plant and its certificate.
USUAL = replace(Effort(), bound_draws=0, cause_years=0)
LONG = replace(USUAL, draws=4, evaluations=240, iterations=6)
SEARCHES = {"usual": USUAL, "screening": EFFORTS["screening"], "long": LONG}


def searched(question: str, seed: int, effort: Effort) -> SearchResult:
    """Search and certify a plant for one of the questions."""
    asked = QUESTIONS[question]
    weather = sd.Weather.generate(asked["site"], years=20, seed=0, wind="wind" in asked)
    study_case = build_case(sd.Study(**asked, region=None, weather=weather, seed=seed))
    return size_then_search(study_case, environment_of(study_case), effort, lambda _: None)


def entry(question: str, seed: int, effort: str) -> dict[str, Any]:
    """Make one search, of an effort by its name, and say what it found."""
    begun = time.process_time()
    result = searched(question, seed, SEARCHES[effort])
    estimate = getattr(result.certificate.metrics, result.certificate.metric)
    return {
        "effort": effort,
        "seed": seed,
        "met": result.met,
        "cost_usd_per_yr": result.best.cost_usd_per_yr,
        "uptime": estimate.value,
        "uptime_error": estimate.standard_error,
        "plant": asdict(result.best.plant),
        "cpu_s": round(time.process_time() - begun, 1),
    }


def cheapest(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The cheapest plant that kept its target with the confidence that was asked for."""
    return min((run for run in runs if run["met"]), key=lambda run: run["cost_usd_per_yr"])


def main(arguments: list[str] | None = None) -> int:
    """Run from the terminal."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=", ".join(QUESTIONS))
    parser.add_argument("--long", nargs="*", type=int, default=[101, 102], metavar="SEED")
    parser.add_argument("--usual", nargs="*", type=int, default=[], metavar="SEED")
    parser.add_argument("--screening", nargs="*", type=int, default=[], metavar="SEED")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.questions) - set(QUESTIONS))
    if unknown:
        parser.error(f"no such question: {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for question in given.questions or QUESTIONS:
        runs = table.setdefault(question, [])
        for effort in SEARCHES:
            for seed in getattr(given, effort):
                found = entry(question, seed, effort)
                runs[:] = [r for r in runs if (r["effort"], r["seed"]) != (effort, seed)] + [found]
                TABLE.write_text(json.dumps(table, indent=1) + "\n")  # what is found stays found
                print(question, found, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
