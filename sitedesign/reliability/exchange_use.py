"""What a certified plant draws from the grid and gives away: energy, hours and money, with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import NOTHING, Case
from sitedesign.case.grid_supply import GridSupply
from sitedesign.case.plant import Plant
from sitedesign.components.grid_connection import WireState
from sitedesign.reliability.estimate import Estimate

if TYPE_CHECKING:  # a process that only reads certificates simulates nothing
    from sitedesign.operation.operate import SimulatedOperation

FloatArray = NDArray[np.float64]
YearFigures = dict[str, FloatArray]
_AT_LIMIT = 1e-6  # share of the contracted power: rounding


@dataclass(frozen=True)
class ExchangeUse:
    """Imports and sinks of a certified plant in a mean year.

    Attributes
    ----------
    import_mwh_per_yr, taken_mwh_per_yr : dict of str to Estimate
        Energy that each import gives and each sink takes. [MWh/yr]
    energy_usd_per_yr : Estimate
        Energy drawn at the prices of the design, less what is sold. [USD/yr]
    called_h_per_yr, without_wires_h_per_yr, at_limit_h_per_yr : Estimate or None
        Hours in which calls leave less than the contracted power, in which the connection is not there, and
        in which all that may be drawn is drawn; None without a grid. [h/yr]
    bill_usd_per_yr : Estimate or None
        What the tariff makes of the operation, year by year. [USD/yr]
    bill_by_charge_usd_per_yr : dict of str to float
        Its mean by charge. [USD/yr]
    """

    import_mwh_per_yr: dict[str, Estimate]
    taken_mwh_per_yr: dict[str, Estimate]
    energy_usd_per_yr: Estimate
    called_h_per_yr: Estimate | None = None
    without_wires_h_per_yr: Estimate | None = None
    at_limit_h_per_yr: Estimate | None = None
    bill_usd_per_yr: Estimate | None = None
    bill_by_charge_usd_per_yr: dict[str, float] = field(default_factory=dict)

    def lines(self) -> list[tuple[str, str]]:
        """Label and text for a summary."""
        energy = [f"{mwh} MWh/yr from {name}" for name, mwh in self.import_mwh_per_yr.items()]
        energy += [f"{mwh} MWh/yr to {name}" for name, mwh in self.taken_mwh_per_yr.items()]
        found = [("exchange", f"{', '.join(energy)}; {_millions(self.energy_usd_per_yr)} of energy")]
        if self.called_h_per_yr is not None:
            hours = (
                f"called {self.called_h_per_yr} h/yr, without wires {self.without_wires_h_per_yr} h/yr, "
                f"at the limit {self.at_limit_h_per_yr} h/yr"
            )
            found.append(("grid hours", hours))
        if self.bill_usd_per_yr is not None:
            found.append(("grid bill", f"{_millions(self.bill_usd_per_yr)} by the tariff"))
        return found


def _millions(usd: Estimate) -> str:
    return usd.text(1e-6, " M USD/yr")


def years_of_use(
    case: Case, plant: Plant, done: SimulatedOperation, supply: GridSupply | None, state: WireState | None
) -> YearFigures:
    """Account for the imports and sinks of a run.

    Parameters
    ----------
    case : Case
        With the calls and interruptions that were met.
    plant : Plant
    done : SimulatedOperation
        With its dispatch where there is a grid.
    supply : GridSupply or None
        Connection on the years of the case.
    state : WireState or None
        Its calls and interruptions that were met.

    Returns
    -------
    dict of str to ndarray, shape (years,)
        Fields of :class:`ExchangeUse`; energies by ``import NAME`` and ``take NAME``, charges by
        ``bill NAME``.
    """
    imports = zip(case.imports, done.import_mwh, strict=True)
    sinks = zip(case.sinks, done.taken_mwh, strict=True)
    found = {f"import {item.name}": mwh for item, mwh in imports}
    found |= {f"take {item.name}": mwh for item, mwh in sinks}
    found["energy_usd_per_yr"] = _energy_usd(case, done)
    if supply is not None and state is not None:
        found |= _of_grid(case, plant, done, supply, state)
    return found


def _energy_usd(case: Case, done: SimulatedOperation) -> FloatArray:
    """Cost of what imports give, less the value of what sinks take, shape (years,). [USD]"""
    backup = sum(len(item.levels) for item in case.backup)
    price = [level.usd_per_mwh for item in case.imports for level in item.levels]
    price += [-level.usd_per_mwh for item in case.sinks for level in item.levels]
    result: FloatArray = np.array(price) @ done.energy_by_level_mwh[backup:]
    return result


def _of_grid(
    case: Case, plant: Plant, done: SimulatedOperation, supply: GridSupply, state: WireState
) -> dict[str, FloatArray]:
    """Hours and the bill of the connection, the first import; its sale is the first sink."""
    assert done.dispatch is not None  # recorded where there is a grid
    contract, shape = plant.imports[0], (case.years, -1)
    drawn = np.maximum(done.dispatch.imported_mw[0], 0.0).reshape(shape)
    sold = None
    if supply.export is not None and case.sinks:
        sold = np.maximum(done.dispatch.sink_mw[0], 0.0).reshape(shape)
    most = contract * state.available
    at_limit = (most > NOTHING) & (drawn >= most - _AT_LIMIT * contract)
    found = {
        "called_h_per_yr": (state.cap < 1.0).sum(axis=1) * case.step_h,
        "without_wires_h_per_yr": (~state.wires).sum(axis=1) * case.step_h,
        "at_limit_h_per_yr": at_limit.sum(axis=1) * case.step_h,
    }
    bills: list[dict[str, float]] = [{}] * case.years  # nobody bills a connection that is not taken
    if contract > NOTHING or (sold is not None and sold.any()):
        bills = [
            {f"{line.kind}: {line.name}": float(line.usd.sum()) for line in bill.lines}
            for bill in supply.bills(contract, drawn, sold)
        ]
    names = dict.fromkeys(name for bill in bills for name in bill)
    charges = {f"bill {name}": np.array([bill.get(name, 0.0) for bill in bills]) for name in names}
    found["bill_usd_per_yr"] = np.sum([np.zeros(case.years), *charges.values()], axis=0)
    return found | charges


def exchange_use(runs: Sequence[YearFigures], cluster: NDArray[np.int64], seed: int) -> ExchangeUse | None:
    """Put the years of all runs together; None where there are neither imports nor sinks.

    Parameters
    ----------
    runs : sequence of dict
        From :func:`years_of_use`.
    cluster : ndarray of int, shape (years in all,)
        Weather year of each.
    seed : int
    """
    if not any(name.startswith(("import ", "take ")) for run in runs for name in run):
        return None
    joined = {
        name: np.concatenate([run.get(name, np.zeros(run["energy_usd_per_yr"].size)) for run in runs])
        for name in dict.fromkeys(name for run in runs for name in run)
    }
    mean = {name: mean_of_years(values, cluster, seed) for name, values in joined.items()}

    def named(kind: str) -> dict[str, Estimate]:
        return {name.removeprefix(kind): found for name, found in mean.items() if name.startswith(kind)}

    return ExchangeUse(
        import_mwh_per_yr=named("import "),
        taken_mwh_per_yr=named("take "),
        energy_usd_per_yr=mean["energy_usd_per_yr"],
        called_h_per_yr=mean.get("called_h_per_yr"),
        without_wires_h_per_yr=mean.get("without_wires_h_per_yr"),
        at_limit_h_per_yr=mean.get("at_limit_h_per_yr"),
        bill_usd_per_yr=mean.get("bill_usd_per_yr"),
        bill_by_charge_usd_per_yr={name: item.value for name, item in named("bill ").items()},
    )


def mean_of_years(values: FloatArray, cluster: NDArray[np.int64], seed: int) -> Estimate:
    """Mean over simulated years, with the error of the means of weather years."""
    count = np.bincount(cluster)
    means = (np.bincount(cluster, values) / np.maximum(count, 1))[count > 0]
    spread = float(means.std(ddof=1)) / len(means) ** 0.5 if len(means) > 1 else float("nan")
    return Estimate(float(values.mean()), spread, len(means), seed)
