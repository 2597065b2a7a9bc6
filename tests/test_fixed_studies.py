"""Same question, same answer: to the last bit in one place, as near as can be justified in another."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests import fixed_studies
from tests.conftest import ROOT

REFERENCE = json.loads((ROOT / "tests" / "data" / "fixed_studies.json").read_text())
#: Those of a second or less; together bounds, operation with and without foresight, failures, certificates.
QUICK = ("own_series", "island", "bound", "classes", "failures")
GAP = 1e-4  # to which the studies are solved


@pytest.fixture(scope="module")
def found() -> dict[str, fixed_studies.Results]:
    return {name: getattr(fixed_studies, name)() for name in QUICK}


def test_a_replay_of_own_series_is_the_same_to_the_last_bit_on_every_machine(found):
    """Sums, products, comparisons: IEEE 754 leaves a processor no choice, and no library takes part."""
    now = fixed_studies.figures(found["own_series"])
    assert found["own_series"]["greedy"].dispatch["shed_mw"].gt(0).any()
    kept = REFERENCE["own_series"]["arrays"]
    assert {name: fixed_studies.exact(now[name]) for name in kept} == kept


@pytest.mark.parametrize(
    ("study", "results"), [("own_series", ("greedy",)), ("island", ("greedy", "foresight"))]
)
def test_the_operation_of_a_given_plant_is_what_it_was(found, study, results):
    """Nothing is searched: other processors may only round differently."""
    now = fixed_studies.main_figures({name: found[study][name] for name in results})
    kept = {key: value for key, value in REFERENCE[study]["figures"].items() if key.startswith(results)}
    assert now == pytest.approx(kept, rel=1e-9)


@pytest.mark.parametrize(("study", "name"), [("island", "bound"), ("bound", "bound"), ("classes", "bound")])
def test_an_optimum_is_what_it_was_within_the_gap_that_is_proven(found, study, name):
    """Rounding may lead to another plant of the same cost: two proofs of one optimum must overlap."""
    kept, design = REFERENCE[study]["figures"], found[study][name]
    rounding = 1 + 1e-9
    assert design.bound_usd_per_yr <= kept[f"{name}.objective_usd_per_yr"] * rounding
    assert kept[f"{name}.bound_usd_per_yr"] <= design.objective_usd_per_yr * rounding
    assert design.objective_usd_per_yr == pytest.approx(kept[f"{name}.objective_usd_per_yr"], rel=GAP)


@pytest.mark.slow
def test_another_process_with_another_number_of_threads_gives_the_same_bits(found, tmp_path):
    kept = tmp_path / "kept.npz"
    threads = "2" if os.environ.get("OMP_NUM_THREADS") == "1" else "1"
    command = [sys.executable, "-m", "tests.fixed_studies", *QUICK, "--write", str(kept)]
    subprocess.run(
        command, check=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": threads}, capture_output=True
    )
    other = fixed_studies.read(kept)
    assert set(other) == set(QUICK)
    for name in QUICK:
        now = fixed_studies.figures(found[name])
        assert len(now) > 50
        assert fixed_studies.compare(other[name], now) == ([], [])


def test_a_comparison_names_what_differs_and_finds_what_was_renamed():
    before = {
        "a.cost": (1.0).hex(),
        "a.size.0": (2.5).hex(),
        "a.size.1": (3.5).hex(),
        "a.gone": (3.0).hex(),
        "a.mw": np.array([1.0, 2.0]),
    }
    after = {
        "a.cost": float(np.nextafter(1.0, 2.0)),
        "a.mwh.0": 2.5,
        "a.mwh.1": 3.5,
        "a.more": 7,
        "a.mw": np.array([1.0, -2.0]),
    }
    differs, moved = fixed_studies.compare(before, after)
    assert differs == [
        "a.cost: 1.0 -> 1.0000000000000002",
        "a.gone: gone, and nothing new has its value 3.0",
        "a.mw: 1 of 2 entries differ, by 4 at most, first at 1: np.float64(2.0) -> np.float64(-2.0)",
    ]
    assert moved == ["renamed: size -> mwh (2 figures)", "new: a.more = 7"]


def test_a_hash_sees_the_last_bit_and_no_names():
    figures = {"cost": 0.1, "units": 3, "mw": np.array([1.0, 2.0]), "error": float("nan")}
    renamed = {"k" + name: value for name, value in reversed(figures.items())}
    assert fixed_studies.digest(figures) == fixed_studies.digest(renamed)
    for name, value in (("cost", np.nextafter(0.1, 1)), ("units", 4), ("mw", np.array([1.0, -2.0]))):
        assert fixed_studies.digest(figures | {name: value}) != fixed_studies.digest(figures)
