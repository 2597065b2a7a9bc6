"""The same question in PyPSA: an independent model of islands and hubs, by other people's equations."""

from __future__ import annotations

import numpy as np

from sitedesign.case.case import BackupCase, Case, ImportCase, SinkCase


def solve_in_pypsa(case: Case, gap: float = 1e-3) -> float:
    """Least cost by PyPSA with HiGHS; racks cannot fail, and shedding costs what it sheds. [USD/yr]

    Supplies are generators whose price changes from step to step, sinks generators that take, whole units
    modules; a store with one power both ways, full at the end; a budget of shed load.
    """
    import pandas as pd
    import pypsa

    assert case.rack_availability == 1.0
    assert len(case.tiers) == 1
    weight = case.step_h / case.years
    n = pypsa.Network()
    n.set_snapshots(pd.RangeIndex(case.steps))
    n.snapshot_weightings.loc[:, "objective"] = weight
    for name in ("stores", "generators"):
        n.snapshot_weightings.loc[:, name] = case.step_h
    n.add("Bus", "site")
    n.add("Bus", "battery")
    n.add("Load", "racks", bus="site", p_set=case.load_mw)
    for resource in case.resources:
        n.add(
            "Generator", resource.name, bus="site", p_nom_extendable=True, p_max_pu=resource.yield_mw_per_mw,
            p_nom_max=resource.bounds_mw[1], capital_cost=resource.annual_cost_usd_per_mw,
        )  # fmt: skip
    for item in case.flows:
        takes = isinstance(item, SinkCase)
        price = prices(item)
        n.add(
            "Generator", item.name, bus="site", sign=-1 if takes else 1, p_nom_extendable=True,
            p_nom_mod=item.unit_mw if item.whole else 0.0, p_nom_min=item.unit_mw * item.units_min,
            p_nom_max=item.unit_mw * item.units_max, p_max_pu=item.capability[0],
            capital_cost=item.annual_cost_usd_per_unit / item.unit_mw,
            marginal_cost=-price if takes else price,
        )  # fmt: skip
    most = float(case.load_mw.max())
    n.add("Generator", "shed", bus="site", p_nom=most, p_max_pu=case.load_mw / most)
    n.add(
        "Store", "battery", bus="battery", e_nom_extendable=True, e_cyclic=True, e_max_pu=case.usable,
        capital_cost=case.battery_cost_usd_per_mwh_yr,
    )  # fmt: skip
    n.add(
        "Link", "charge", bus0="site", bus1="battery", p_nom_extendable=True, efficiency=case.eta_charge,
        capital_cost=case.battery_cost_usd_per_mw_yr,
    )  # fmt: skip
    n.add(
        "Link", "discharge", bus0="battery", bus1="site", p_nom_extendable=True, efficiency=case.eta_discharge
    )

    def more(network, _snapshots) -> None:
        m = network.model
        energy, power = m["Store-e"], m["Link-p_nom"]
        last = energy.sel(name="battery").isel(snapshot=-1)
        full = case.usable[-1] * m["Store-e_nom"].sel(name="battery")
        m.add_constraints(last - full == 0, name="full-at-the-end")
        both = power.sel(name="charge") - case.eta_discharge * power.sel(name="discharge")
        m.add_constraints(both == 0, name="one-power")
        budget = (1 - case.uptime_target) * float(case.load_mw.sum())
        m.add_constraints(m["Generator-p"].sel(name="shed").sum() <= budget, name="uptime")

    status, condition = n.optimize(
        solver_name="highs",
        extra_functionality=more,
        solver_options={"mip_rel_gap": gap, "threads": 1, "output_flag": False},
    )
    assert (status, condition) == ("ok", "optimal")
    return float(n.objective)


def prices(item: BackupCase | ImportCase | SinkCase) -> np.ndarray:
    """Price of a flow in each step. [USD/MWh]"""
    levels = np.array([level.usd_per_mwh for level in item.levels])
    active = np.zeros(item.capability.shape[1], dtype=int) if item.active_level is None else item.active_level
    return levels[active]
