"""How far searches end from the cheapest plants known: ``pytest tests/benchmarks/test_search_quality.py``."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest

from tests.benchmarks.reference_costs import TABLE, cheapest, entry

pytestmark = pytest.mark.slow

KNOWN: dict[str, list[dict[str, Any]]] = json.loads(TABLE.read_text())
REFERENCES = {
    name: cheapest(runs) for name, runs in KNOWN.items() if any(run["effort"] == "long" for run in runs)
}
SEED = 9  # of no search in the table
NEAR, USUALLY_NEAR, SCATTER = 0.01, 0.005, 0.005
#: Known to scatter more over the eight seeds of the table: whole units and racks decide, and a few dark years
#: where no unit helps.
WIDER = {"four nines": 0.008, "in 14 months": 0.007, "diesel behind sun": 0.007, "wind": 0.007}


@pytest.mark.skipif(not REFERENCES, reason="no question was searched long: reference_costs.py")
def test_a_search_ends_within_a_hundredth_of_the_cheapest_plant_known(benchmark: Any) -> None:
    found = benchmark.pedantic(lambda: {name: entry(name, SEED, "usual") for name in REFERENCES}, rounds=1)
    more = {
        name: found[name]["cost_usd_per_yr"] / reference["cost_usd_per_yr"] - 1
        for name, reference in REFERENCES.items()
    }
    benchmark.extra_info["more"] = more
    assert all(run["met"] for run in found.values())
    assert max(more.values()) < NEAR, more
    assert statistics.median(more.values()) < USUALLY_NEAR, more


@pytest.mark.parametrize("question", KNOWN)
def test_seeds_of_the_table_scatter_little(question: str) -> None:
    costs = [run["cost_usd_per_yr"] for run in KNOWN[question] if run["effort"] == "usual" and run["met"]]
    if len(costs) < 2:
        pytest.skip("searched with one seed only")
    scatter = max(costs) / min(costs) - 1
    assert scatter < WIDER.get(question, SCATTER), costs
    assert question not in WIDER or scatter > SCATTER, "named, and no longer so"
