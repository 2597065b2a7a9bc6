"""Inputs of a connection to the grid, declared once; loads nothing that takes long.

What holds more than one value is of any type here, and of its own in :class:`~sitedesign.study.grid.Grid`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sitedesign.study.limits import MONTHS, MW, Pair
from sitedesign.util.gate import Bounds, Measure, Words
from sitedesign.util.inputs import Input, declared
from sitedesign.util.model import Model

GridKind = Literal["none", "firm", "flexible"]
#: Heading under which they are asked.
GRID = "Grid connection"
_MW = Bounds(MW)
_LEVELS = Measure("levels", 1, 1000, whole=True)
_USD_PER_KW = Measure("USD/kW", 0, 100_000)
_USD = Measure("USD", 0, 1e12)
_MILES = Measure("miles", 0, 5000)
_T_PER_MWH = Measure("t/MWh", 0, 5)
_MODEL = Words("must be the name of a connection, see 'sitedesign library list grid'", most=1000)


class GridInputs(Model):
    """Fields of :class:`~sitedesign.study.grid.Grid`."""

    # fmt: off
    model: Annotated[str | None, _MODEL, Input(
        "Connection",
        "Library entry that says all that is left out: ``firm_ercot``, ``flexible``, ``ex_smelter`` and so "
        "on. See ``sitedesign library list grid``; or path of a ``.toml`` file.",
        GRID, example="flexible", sort="entry",
    )] = None
    mw: Annotated[Pair | None, _MW, Input(
        "Import",
        "Contracted import. One number is the most, a pair is least and most, a pair of equals fixes it. "
        "That of the `model` where it has one; otherwise as much as pays.",
        GRID, example=100,
    )] = None
    kind: Annotated[GridKind | None, Input(
        "Kind of connection",
        "Whether import may be called: not if firm. That of the `model`, or firm; none for no connection.",
        GRID, planner=False,
    )] = None
    months: Annotated[float | None, MONTHS, Input(
        "Energised after", "Months until it is energised. Those of the `model` when left out.",
        GRID, example=18,
    )] = None
    tariff: Annotated[Any, Input(
        "Tariff",
        "Region whose tariff is paid, such as ``ercot``, or one price in USD/MWh. Regions are those of "
        "``sitedesign library list tariff``; or path of a ``.toml`` file; a mapping that ``extends`` a "
        "region by other numbers; a tariff, as itself or as a mapping of its fields.",
        GRID, example="ercot", sort="text", type="str, Tariff or float",
    )] = None
    prices: Annotated[Any, Input(
        "Prices of every hour",
        "File with the price of every hour, in USD/MWh. Or an array, or a mapping for "
        ":func:`~sitedesign.components.price_series.read_prices`: in place of a region's prices of energy, "
        "on top of those of a tariff with ``hourly=True``.",
        GRID, example="lmp.csv", sort="file", type="path, mapping or array",
    )] = Field(default=None, repr=False)
    price_levels: Annotated[int, _LEVELS, Input(
        "Levels of price",
        "Levels into which an optimiser puts the prices of import. As many for those of export; with as many "
        "as there are prices they are exact.",
        GRID, planner=False,
    )] = 8
    curtailment: Annotated[Any, Input(
        "Called hours",
        "Hours a year in which a flexible connection is called. Or a `Curtailment`, of which the model "
        "says what is left out.",
        GRID, example=177, sort="text", type="Curtailment, mapping or float",
    )] = None
    capital_usd_per_kw: Annotated[float | None, _USD_PER_KW, Input(
        "Connection cost", "Capital by contracted power. That of the `model` when left out.",
        GRID, example=190,
    )] = None
    outages: Annotated[Any, Input(
        "Outages of the wires",
        "Outages of the wires; what is left out is the model's. False for none.",
        GRID, sort="table", type="WireOutages or mapping", planner=False,
    )] = None
    export_mw: Annotated[Pair | None, _MW, Input(
        "Export", "Power that may be fed in. As `mw`; none when left out.", GRID, example=50,
    )] = None
    export: Annotated[Any, Input(
        "Price of export",
        "What a MWh fed in earns, in USD/MWh. The tariff's price when left out.",
        GRID, example=30, sort="text", type="float or sequence of EnergyCharge",
    )] = None
    export_prices: Annotated[Any, Input(
        "Prices of every hour of export",
        "File with what a MWh fed in earns in every hour, in USD/MWh.",
        GRID, sort="file", type="path, mapping or array",
    )] = Field(default=None, repr=False)
    export_capital_usd_per_kw: Annotated[float | None, _USD_PER_KW, Input(
        "Connection cost for export", "Capital by power that may be fed in.",
        GRID, example=50, planner=False,
    )] = None
    capital_usd: Annotated[float | None, _USD, Input(
        "Cost whatever the power", "Capital besides, whatever the power: study, security, price of a site.",
        GRID, example=5_000_000, planner=False,
    )] = None
    line_miles: Annotated[
        float, _MILES, Input("Line to be built", "Line to be built.", GRID, planner=False)
    ] = 0.0
    co2_t_per_mwh: Annotated[float | None, _T_PER_MWH, Input(
        "CO2 of import", "CO2 of the power drawn. Needed where CO2 is limited or priced.",
        GRID, example=0.35,
    )] = None
    # fmt: on


def told(name: str) -> Input:
    """Say what an input is called and means, for the class that gives it its type."""
    return declared(GridInputs)[name].told
