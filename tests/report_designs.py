"""Designs for the tests of figures and reports: real dispatch, made without an optimiser."""

from __future__ import annotations

import dataclasses

import sitedesign as sd
from sitedesign.api.design import Design
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.case.relaxation import FORESIGHT
from sitedesign.operation.operate import operate_greedy
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.events import Event
from sitedesign.results.accounting import evaluate_dispatch

YEARS = 3


def make_design(
    name="El Paso, TX",
    years=YEARS,
    units=(4, 2),
    solar_mw=420.0,
    battery_mwh=1400.0,
    operation="foresight",
    **question,
):
    """A plant that is somewhat too small, operated greedily and labelled as `solve` would label it."""
    site = sd.Site(
        latitude=31.76, longitude=-106.49, name=name, elevation_m=1200.0, timezone="America/Denver"
    )
    question = {"racks": 700, "uptime": 0.999, "backup": ["recip_medium", "diesel"]} | question
    study = sd.Study(site=site, weather_years=years, **question)
    study_case = build_case(study)
    battery_mw = 170.0 if battery_mwh else 0.0
    plant = Plant((solar_mw,), battery_mwh, battery_mw, tuple(units), study.contracted_racks + 12)
    result = evaluate_dispatch(study_case, plant, operate_greedy(study_case.case, plant), operation)
    blind = evaluate_dispatch(study_case, plant, operate_greedy(study_case.case, plant), "greedy")
    design = Design(
        **result.model_dump(),
        study=study.to_dict(),
        objective_usd_per_yr=result.cost_usd_per_yr,
        bound_usd_per_yr=result.cost_usd_per_yr * 0.9999,
        bound_name=FORESIGHT,
        method="cuts",
        stopped_by="gap",
        solve_seconds=1.2,
        iterations=20,
        uptime_price_usd_per_mwh=465.0,
        greedy_uptime=blind.uptime,
    )
    design._dispatch = result.dispatch
    return design


COUNTED = ("lolh_h_per_yr", "events_per_yr", "longest_h")


def make_certificate(design, *, met=False, uptime=0.9985):
    """A certificate with figures of its own, filled as `monte_carlo` fills it."""
    estimate = Estimate(uptime, 1e-4, 200, 7, loss_free_value=1.0, largest_contribution=1e-5)
    counted = {name: Estimate(2.0, 0.1, 200, 7) for name in COUNTED}
    metrics = dataclasses.replace(design.metrics, rack=estimate, compute=estimate, **counted)
    units = tuple(design.backup.values())
    return Certificate(
        metrics=metrics,
        metric="rack",
        target=design.uptime_target,
        confidence=0.95,
        met=met,
        converged=True,
        half_width=1.6e-4,
        weather_years=200,
        draws=5,
        simulated_years=1000,
        seed=7,
        controller=Controller(),
        causes={"starts": 0.1, "units": 0.5, "weather": 0.4},
        backup_mwh_per_yr=tuple(1e5 for _ in units),
        fuel_mmbtu_per_yr=tuple(1e6 for _ in units),
        backup_share=Estimate(0.2, 0.01, 200, 7),
        operating_cost_usd_per_yr=7e6,
        run_h_per_yr=tuple((1500.0,) * count for count in units),
        starts_per_yr=tuple((80.0,) * count for count in units),
        failed_starts_per_yr=tuple((1.0,) * count for count in units),
        battery_cycles_per_yr=280.0,
    )


def certified(design):
    """The same plant as `solve` returns it by default: with its certificate and the parts of its gap."""
    events = (
        Event(41, "year 42, 12-24 17:00", 15, 5.0, 101.5, 90.0, 0.4, "starts"),
        Event(7, "year 8, 06-01 12:00", 9, 2.0, 50.0, 50.0, 1.0, "several failures together"),
    )
    certificate = dataclasses.replace(
        make_certificate(design, met=True, uptime=0.9995),
        events=events,
        power_lost_h_by_year=(0.0, 30.0, 9.0),
    )
    parts = {
        "perfect_information": 1e6,
        "outage_surprises": 5e6,
        "reserve_and_search": 5e5,
        "outages_foreseen": 2.5e6,
        "integrality": 5e5,
    }
    changed = {
        "certificate": certificate,
        "operation": "causal",
        "stopped_by": "certificate",
        "bound_usd_per_yr": design.objective_usd_per_yr - 1e7,
        "gap_parts": parts,
        "bound_with_failures": Estimate(design.objective_usd_per_yr - 7.5e6, 2e5, 12, 0),
    }
    made = design.model_copy(update=changed)
    made._dispatch = design.dispatch
    return made
