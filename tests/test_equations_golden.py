"""Each equation against its golden LP file, the register's completeness, and the units of the whole model.

The model has 3 steps of *half* an hour over two weather years: a lost step length or number of years changes
a file. To accept a changed equation: ``SITEDESIGN_REWRITE_GOLDEN=1 pytest tests/test_equations_golden.py``,
then read the difference.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.repn.tests.lp_diff import lp_diff
from pyomo.util.check_units import assert_units_consistent, assert_units_equivalent

from sitedesign.case.case import Case, ClassShare, ImportCase, PriceLevel, SinkCase, Tier
from sitedesign.case.rack_shortfall import shortfall_chords, shortfall_curve
from sitedesign.case.reserve import ReserveRule
from sitedesign.equations import REGISTRY, SYMBOLS, Equation, equation
from sitedesign.equations.units import units_attached
from sitedesign.equations.variables import declare_capacities, declare_operation
from sitedesign.optimize.extensive_form import build_model
from tests.cases import backup, case, resource

GOLDEN = Path(__file__).parent / "golden"


def three_steps() -> Case:
    """A case in which every equation has something to say and no two numbers are alike."""
    alike = backup(3, "engine", capability=np.array([[1.0, 0.9, 0.8]]), lead_months=18.0, units_max=4,
                   site_cost_usd_per_yr=0.23e6)  # fmt: skip
    differing = backup(
        3,
        "turbine",
        unit_mw=34.0,
        capability=np.array([[1.0, 0.0, 0.95], [0.85, 0.75, 0.0]]),
        annual_cost_usd_per_unit=4.6e6,
        marginal_cost_usd_per_mwh=85.0,
        co2_t_per_mwh=0.55,
        lead_months=30.0,
        nox_t_per_mwh=0.0007,
        co_t_per_mwh=0.0009,
        pm_t_per_mwh=0.00013,
        run_h_limit=480.0,
        site_cost_usd_per_yr=1.7e6,
        units_min=1,
        units_max=3,
    )
    farm = resource([0.6, 0.25, 0.45], name="wind", label="wind farm", annual_cost_usd_per_mw=170e3,
                    acres_per_mw=0.7, lead_months=24.0, bounds_mw=(0.0, 800.0))  # fmt: skip
    grid = ImportCase(
        "grid", np.array([[1.0, 0.6, 1.0]]),
        (PriceLevel("off peak", 31.0, 0.35), PriceLevel("peak", 77.0, 0.41)),
        annual_cost_usd_per_unit=130e3, lead_months=28.0, units_min=0.0, units_max=75.0,
        active_level=np.array([0, 1, 1]), site_cost_usd_per_yr=0.4e6,
    )  # fmt: skip
    town = SinkCase(
        "town", np.array([[0.5, 0.8, 1.0]]), (PriceLevel("night", 18.0), PriceLevel("day", 42.0)),
        annual_cost_usd_per_unit=9e3, units_min=2.0, units_max=6.0, active_level=np.array([0, 1, 0]),
        unit_mw=7.0, whole=True, needs="grid",
    )  # fmt: skip
    return case(
        [0.0, 0.3, 0.7],
        [100.0, 110.0, 90.0],
        resources=(resource([0.0, 0.3, 0.7]), farm),
        step_h=0.5,
        years=2,
        usable=np.array([0.92, 0.91, 0.9]),
        eta_charge=0.95,
        eta_discharge=0.94,
        backup=(alike, differing),
        imports=(grid,),
        sinks=(town,),
        tiers=(Tier(0.25, 1.0, 1), Tier(0.3, 0.5, 0), Tier(0.45, 1.4, 0)),
        load_classes=(ClassShare("service", 0.75, 0.98), ClassShare("batch", 0.25, 0.9)),
        lost_value_usd_per_mwh=2300.0,
        racks_contracted=2,
        racks_max=4,
        rack_availability=0.9,
        delay_cost_usd_per_month_yr=7e3,
        fixed_usd_per_yr=53e3,
        reserve=ReserveRule(2, 13.0, 0.07, 0.2, battery_alone=True, spare_units=1),
        limits={
            "land_acres": 600.0,
            "min_renewable_share": 0.35,
            "max_co2_t_per_yr": 11.0,
            "max_nox_t_per_yr": 0.017,
            "max_co_t_per_yr": 0.019,
            "max_pm_t_per_yr": 0.0023,
            "min_duration_h": 1.5,
            "max_duration_h": 8.0,
            "months_to_power": 36.0,
            "most_units": 6,
        },
    )


def only(item: Equation) -> pyo.ConcreteModel:
    """All variables, one equation, and an objective that says nothing."""
    c = three_steps()
    m = pyo.ConcreteModel()
    curve = shortfall_curve(c.racks_contracted, c.racks_max, c.rack_availability)
    declare_capacities(m, c, shortfall_chords(curve))
    declare_operation(m, c)
    item.add(m)
    if item.kind == "constraint":
        m.nothing = pyo.Objective(expr=0.0)
    return m


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_equation_is_what_it_was(name: str, tmp_path: Path) -> None:
    written = tmp_path / f"{name}.lp"
    only(REGISTRY[name]).write(str(written), io_options={"symbolic_solver_labels": True})
    golden = GOLDEN / f"{name}.lp"
    if os.environ.get("SITEDESIGN_REWRITE_GOLDEN"):
        golden.write_text(written.read_text())
    base, test = lp_diff(golden.read_text(), written.read_text(), str(golden), str(written))
    assert base == test


def test_every_equation_has_a_golden_file_and_every_file_an_equation() -> None:
    assert {path.stem for path in GOLDEN.glob("*.lp")} == set(REGISTRY)


def test_every_equation_is_in_the_full_model_under_its_own_name() -> None:
    m = build_model(three_steps())
    components = {c.local_name for c in m.component_objects((pyo.Constraint, pyo.Objective), active=True)}
    assert components == set(REGISTRY)


def with_units() -> pyo.ConcreteModel:
    with units_attached():
        return build_model(three_steps())


def test_units_are_consistent() -> None:
    m = with_units()
    assert_units_consistent(m)
    assert_units_equivalent(m.annual_cost.expr, pyo.units.KUSD / pyo.units.year)
    assert_units_equivalent(m.supply_energy["engine", 0].body, pyo.units.MWh / pyo.units.year)


def test_units_catch_a_lost_step_length() -> None:
    m = with_units()
    m.wrong = pyo.Constraint(expr=m.stored_mwh[2] == m.stored_mwh[1] + m.charge_mw[2])
    with pytest.raises(Exception, match="not compatible"):
        assert_units_consistent(m)


def test_table_of_symbols_is_the_model() -> None:
    m = with_units()
    assert {s.name for s in SYMBOLS} == {v.local_name for v in m.component_objects(pyo.Var)}
    for symbol in SYMBOLS:
        variable = m.find_component(symbol.name)
        one = next(iter(variable.values())) if variable.is_indexed() else variable
        unit = pyo.units.get_units(one)
        stated = eval(symbol.unit, {}, {n: getattr(pyo.units, n) for n in ("MW", "MWh", "month")} | {"yr": pyo.units.year}) if symbol.unit else None  # noqa: E501  # fmt: skip
        assert (unit is None and stated is None) or pyo.units.convert_value(1.0, unit, stated) == 1.0


def test_latex_has_balanced_braces_and_no_dollar_signs() -> None:
    for item in REGISTRY.values():
        assert item.latex.count("{") == item.latex.count("}"), item.name
        assert "$" not in item.latex


def test_chord_of_a_single_rack_count_is_level() -> None:
    c = dataclasses.replace(three_steps(), racks_max=2)
    m = build_model(c)
    assert list(m.chord) == [2]
    assert pyo.value(m.rack_shortfall_slope[2]) == 0.0


def test_register_refuses_what_would_be_ambiguous() -> None:
    def new_row(m):
        """Say something."""

    def uptime(m):
        """Say something."""

    def unsaid(m):
        pass

    def short(m):
        """Say something."""

    before = dict(REGISTRY)
    with pytest.raises(ValueError, match="number or name is taken"):
        equation("A1", "x")(new_row)
    with pytest.raises(ValueError, match="number or name is taken"):
        equation("A99", "x")(uptime)
    with pytest.raises(ValueError, match="capital letter and a number"):
        equation("a-1", "x")(new_row)
    with pytest.raises(ValueError, match="docstring"):
        equation("A99", "x")(unsaid)
    with pytest.raises(ValueError, match="one argument per set"):
        equation("A99", "x", over="step")(short)
    assert before == REGISTRY
