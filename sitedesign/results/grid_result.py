"""What a connection to the grid gave and cost: energy and money by price, hours, the bill by charge."""

from __future__ import annotations

import numpy as np
from pydantic import ConfigDict

from sitedesign.case.build import StudyCase
from sitedesign.case.case import NOTHING, Case, FloatArray, ImportCase, SinkCase
from sitedesign.case.dispatch import Dispatch, split_by_level
from sitedesign.case.grid_supply import GridSupply
from sitedesign.case.plant import Plant
from sitedesign.finance.bill import mean_usd_per_yr
from sitedesign.util.model import Model

_SAME_USD = 500.0  # a year: not seen in millions with three digits
_AT_LIMIT = 1e-6  # share of the contracted power: rounding of an optimiser


class EnergyAtPrice(Model):
    """Energy of a mean year at one of the prices.

    Attributes
    ----------
    usd_per_mwh : float
        As the optimiser has it, without CO2. [USD/MWh]
    mwh_per_yr, usd_per_yr : float
        [MWh/yr, USD/yr]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd_per_mwh: float
    mwh_per_yr: float
    usd_per_yr: float


class GridResult(Model):
    """What the connection of a plant did in a mean year.

    Attributes
    ----------
    contracted_mw, sale_mw : float
        Import contracted, and most that may be fed in. [MW]
    months : float
        Until it is energised. [months]
    imports, sales : list of EnergyAtPrice
        By price, rising; prices at which nothing flows are left out.
    peak_mw : float
        Highest import of a step. [MW]
    called_h_per_yr, without_wires_h_per_yr, at_limit_h_per_yr : float
        Hours in which calls leave less than the contracted power, in which the connection is not there, and
        in which all that may be drawn is drawn. [h/yr]
    charged_usd_per_yr : dict of str to float
        What the design counts: ``energy``, ``demand`` (all months at the contracted power), ``fixed``,
        ``export`` (below zero). [USD/yr]
    bill_usd_per_yr : dict of str to float
        What the tariff makes of the same dispatch, exactly, by charge: ``demand: on-peak``. Demand is billed
        by the peak of each month: mostly less than what the design counts. [USD/yr]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    contracted_mw: float
    sale_mw: float
    months: float
    imports: list[EnergyAtPrice]
    sales: list[EnergyAtPrice]
    peak_mw: float
    called_h_per_yr: float
    without_wires_h_per_yr: float
    at_limit_h_per_yr: float
    charged_usd_per_yr: dict[str, float]
    bill_usd_per_yr: dict[str, float]

    @property
    def import_mwh_per_yr(self) -> float:
        """Energy drawn. [MWh/yr]"""
        return sum(item.mwh_per_yr for item in self.imports)

    @property
    def sale_mwh_per_yr(self) -> float:
        """Energy fed in. [MWh/yr]"""
        return sum(item.mwh_per_yr for item in self.sales)

    @property
    def charged(self) -> float:
        """What the design counts for energy, demand, fixed charges and sale. [USD/yr]"""
        return sum(self.charged_usd_per_yr.values())

    @property
    def bill(self) -> float:
        """What the tariff makes of the dispatch. [USD/yr]"""
        return sum(self.bill_usd_per_yr.values())

    @property
    def bill_by_kind(self) -> dict[str, float]:
        """The bill by kind of charge: energy, demand, coincident, fixed, minimum, export. [USD/yr]"""
        found: dict[str, float] = {}
        for name, usd in self.bill_usd_per_yr.items():
            kind = name.partition(":")[0]
            found[kind] = found.get(kind, 0.0) + usd
        return found

    @property
    def note(self) -> str:
        """What the tariff takes beyond what the design counts, by kind; empty where that is nothing."""
        above = self.bill - self.charged
        if above <= _SAME_USD:
            return ""
        counted = self.charged_usd_per_yr
        kinds = {name: usd - counted.get(name, 0.0) for name, usd in self.bill_by_kind.items()}
        dearer = {name: usd for name, usd in kinds.items() if usd > _SAME_USD}
        return (
            f"{_millions(above)} M USD/yr above what the design counts ({_parts(dearer)} more): prices are "
            "put into levels; tiers, a least bill and which hours will be the region's peaks are not foreseen"
        )

    def lines(self) -> list[tuple[str, str]]:
        """Label and text for a summary."""
        sold = ""
        if self.sale_mw > NOTHING:
            sold = f"; {self.sale_mwh_per_yr:,.0f} MWh/yr sold, up to {self.sale_mw:,.1f} MW"
        grid = (
            f"{self.contracted_mw:,.1f} MW contracted, {self.import_mwh_per_yr:,.0f} MWh/yr drawn, "
            f"peak {self.peak_mw:,.1f} MW{sold}"
        )
        hours = (
            f"called {self.called_h_per_yr:,.0f} h/yr, "
            f"without wires {self.without_wires_h_per_yr:,.1f} h/yr, "
            f"at the limit {self.at_limit_h_per_yr:,.0f} h/yr"
        )
        bill = f"{_millions(self.bill)} M USD/yr by the tariff: {_parts(self.bill_by_kind)}"
        return [
            ("grid", grid),
            ("grid hours", hours),
            ("grid bill", f"{bill}; {self.note}" if self.note else bill),
            ("counted for it", f"{_millions(self.charged)} M USD/yr: {_parts(self.charged_usd_per_yr)}"),
        ]


def _millions(usd: float) -> str:
    return f"{usd / 1e6:,.3f}"


def _parts(usd: dict[str, float]) -> str:
    return ", ".join(f"{name} {_millions(value)}" for name, value in usd.items() if value)


def grid_result(study_case: StudyCase, plant: Plant, dispatch: Dispatch) -> GridResult | None:
    """Account for the connection of a plant; None where the study has none.

    Parameters
    ----------
    study_case : StudyCase
    plant : Plant
    dispatch : Dispatch
        In calendar order.
    """
    supply, case = study_case.grid, study_case.case
    if supply is None:
        return None
    contract, drawn = plant.imports[0], np.maximum(dispatch.imported_mw[0], 0.0)
    # What is fed in is the first of the sinks; others take surplus before the meter
    sold = np.maximum(dispatch.sink_mw[0], 0.0) if supply.export is not None else None
    sale_mw = plant.sinks[0] if supply.export is not None else 0.0
    imports = _by_price(case, case.imports[0], supply.levels.usd_per_mwh, drawn)
    sales = []
    if sold is not None and supply.export is not None:
        sales = _by_price(case, case.sinks[0], supply.export.levels.usd_per_mwh, sold)
    most = contract * supply.state.available.ravel()
    at_limit = (most > NOTHING) & (drawn >= most - _AT_LIMIT * contract)
    return GridResult(
        contracted_mw=contract,
        sale_mw=sale_mw,
        months=supply.months,
        imports=imports,
        sales=sales,
        peak_mw=float(drawn.max(initial=0.0)),
        called_h_per_yr=supply.state.called_h_per_yr(case.step_h),
        without_wires_h_per_yr=supply.state.broken_h_per_yr(case.step_h),
        at_limit_h_per_yr=float(at_limit.sum()) * case.step_h / case.years,
        charged_usd_per_yr={
            "energy": sum(item.usd_per_yr for item in imports),
            "demand": contract * supply.demand_usd_per_mw_yr,
            "fixed": supply.fixed_usd_per_yr if max(contract, sale_mw) > NOTHING else 0.0,
            "export": -sum(item.usd_per_yr for item in sales),
        },
        bill_usd_per_yr=_bill(supply, case, contract, drawn, sold),
    )


def _by_price(
    case: Case, item: ImportCase | SinkCase, prices: tuple[float, ...], power_mw: FloatArray
) -> list[EnergyAtPrice]:
    energy = zip(prices, split_by_level(case, item, power_mw), strict=True)
    return [
        EnergyAtPrice(usd_per_mwh=price, mwh_per_yr=mwh, usd_per_yr=price * mwh)
        for price, mwh in energy
        if mwh > 0.0
    ]


def _bill(
    supply: GridSupply, case: Case, contract_mw: float, drawn: FloatArray, sold: FloatArray | None
) -> dict[str, float]:
    """Mean bill of the weather years, by charge; nobody bills a connection that is not taken. [USD/yr]"""
    idle = contract_mw <= NOTHING and (sold is None or not sold.any())
    if idle:
        return {}
    fed_in = None if sold is None else sold.reshape(case.years, -1)
    return mean_usd_per_yr(supply.bills(contract_mw, drawn.reshape(case.years, -1), fed_in))
