"""What a lender asks of a project: what it costs, sells and pays, on what terms. Inputs of a cash flow.

All money is nominal. Year 1 is the first of operation; construction ends with year 0, at whose end all
capital is spent and the debt is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sitedesign.finance.depreciation import RecoveryClass


@dataclass(frozen=True)
class Asset:
    """Something that is bought, and what taxes make of it.

    Attributes
    ----------
    name : str
    cost_usd : float
        Overnight, before credits and cost of construction finance. [USD]
    recovery : str or tuple of float
        Class of its depreciation, or shares by year.
    bonus : float
        Share of its basis that federal tax lets deduct in the first year. [fraction]
    credit : float
        Investment tax credit, of its cost with its share of construction finance. [fraction]
    in_service : int
        Year of operation in which it is placed in service. It is paid at the end of the year before; its
        deductions begin, and its credit comes, in that year.
    delivered_month : float or None
        After the order, where what is delivered is paid. [months]
    """

    name: str
    cost_usd: float
    recovery: RecoveryClass | tuple[float, ...] = "macrs_15"
    bonus: float = 0.0
    credit: float = 0.0
    in_service: int = 1
    delivered_month: float | None = None


@dataclass(frozen=True)
class Revenue:
    """Something that is sold.

    Attributes
    ----------
    name : str
    amount_per_yr : float or tuple of float
        Each year, or year by year. [unit/yr]
    usd_per_unit : float or tuple of float
        Price in year 1, or year by year. [USD/unit]
    escalation : float
        Of a price that is given for year 1 alone. [fraction/yr]
    change : float
        Of an amount that is given for year 1 alone; below zero where a plant gives less from year to year.
        [fraction/yr]
    contract_yr : int or None
        Years for which this price is agreed; after them the market pays. All when None.
    market_usd_per_unit : float
        Price of the market, in money of year 1. [USD/unit]
    market_escalation : float
        [fraction/yr]
    """

    name: str
    amount_per_yr: float | tuple[float, ...]
    usd_per_unit: float | tuple[float, ...]
    escalation: float = 0.0
    change: float = 0.0
    contract_yr: int | None = None
    market_usd_per_unit: float = 0.0
    market_escalation: float = 0.0


@dataclass(frozen=True)
class Expense:
    """Something that is paid every year.

    Attributes
    ----------
    name : str
    usd_per_yr : float or tuple of float
        In year 1, or year by year. [USD/yr]
    escalation : float
        Of an expense that is given for year 1 alone. [fraction/yr]
    shape : tuple of float
        By which each year is multiplied on top; 1 when empty. [fraction]
    """

    name: str
    usd_per_yr: float | tuple[float, ...]
    escalation: float = 0.0
    shape: tuple[float, ...] = ()


@dataclass(frozen=True)
class Replacement:
    """Something that is bought again, put aside for in equal parts from year 1 on.

    Attributes
    ----------
    name : str
    cost_usd : float
        At prices of year 1; inflation comes on top. [USD]
    year : int
        In which it is bought; its depreciation begins with it.
    recovery : str or tuple of float
    """

    name: str
    cost_usd: float
    year: int
    recovery: RecoveryClass | tuple[float, ...] = "macrs_5"


@dataclass(frozen=True)
class Debt:
    """A term loan, drawn at the end of construction; for what is placed in service later, when that is paid.

    Attributes
    ----------
    share : float or None
        Of all that has to be financed, repaid in equal payments; None where `dscr` sizes it. [fraction]
    dscr : float or None
        Cash available over debt service, the same in every year: each payment is what it leaves.
    most_share : float
        Cap of a debt sized by `dscr`. [fraction]
    rate : float
        [fraction/yr]
    tenor_yr : int
        [yr]
    fee : float
        Of the debt, paid when it is drawn. [fraction]
    closing_usd : float
        [USD]
    reserve_months : float
        Of the coming year's debt service, kept aside. [months]
    repayment : {"level", "bullet"}
        ``level``: equal payments over the tenor. ``bullet``: interest alone, and all of it at the end.
    """

    share: float | None = None
    dscr: float | None = None
    most_share: float = 1.0
    rate: float = 0.07
    tenor_yr: int = 18
    fee: float = 0.0
    closing_usd: float = 0.0
    reserve_months: float = 0.0
    repayment: Literal["level", "bullet"] = "level"


@dataclass(frozen=True)
class Construction:
    """How the plant is paid while it is built.

    Attributes
    ----------
    months : float
        [months]
    rate : float
        Of the construction loan. [fraction/yr]
    loan_share : float
        Of the cost of the assets; equity pays the rest at the same pace. [fraction]
    fee : float
        Of the loan, when it is agreed. [fraction]
    draws : {"even", "s_curve", "delivery"}
        ``even``: the same each month. ``s_curve``: slow at both ends. ``delivery``: a deposit with the order,
        the rest of each asset in its month of delivery.
    deposit : float
        Share that is paid with the order. [fraction]
    compound : bool
        Whether interest is drawn on the loan and bears interest itself; else simple interest.
    equity_years : int
        Years over which equity is paid in, in equal parts, the last of which is year 0.
    early_years : int
        Years before year 0 in which all is paid, debt and equity together; owners then pay its interest until
        the plant runs.
    """

    months: float = 0.0
    rate: float = 0.0
    loan_share: float = 1.0
    fee: float = 0.0
    draws: Literal["even", "s_curve", "delivery"] = "even"
    deposit: float = 0.2
    compound: bool = False
    equity_years: int = 1
    early_years: int = 0


@dataclass(frozen=True)
class ProductionCredit:
    """A tax credit by the MWh.

    Attributes
    ----------
    name : str
    usd_per_mwh : float
        In year 1; grows with inflation and is rounded to 1 USD/MWh, as the law does. [USD/MWh]
    mwh_per_yr : float or tuple of float
        What it is paid for. [MWh/yr]
    from_year : int
        Year of operation in which the plant is placed in service.
    years : int
        [yr]
    """

    name: str
    usd_per_mwh: float
    mwh_per_yr: float | tuple[float, ...]
    from_year: int = 1
    years: int = 10


@dataclass(frozen=True)
class Taxes:
    """Taxes and credits; losses earn their tax at once, as in the hands of an owner with other income.

    Attributes
    ----------
    federal, state : float
        State tax is deducted from federal income. [fraction]
    credit_basis_reduction : float
        Share of an investment credit that is taken off the depreciable basis. [fraction]
    credit_price : float
        What a dollar of credit brings: 1 where the owner uses it, less where it is sold. [USD/USD]
    production_credits : tuple of ProductionCredit
    property_rate, property_decline : float
        Of the assessed value, which is the cost of the assets less so much of it every year.
        [fraction/yr, fraction/yr]
    property_on_book : bool
        Whether that value is instead what depreciation has left by the end of the year.
    """

    federal: float = 0.21
    state: float = 0.0
    credit_basis_reduction: float = 0.5
    credit_price: float = 1.0
    production_credits: tuple[ProductionCredit, ...] = ()
    property_rate: float = 0.0
    property_decline: float = 0.0
    property_on_book: bool = False


@dataclass(frozen=True)
class Project:
    """A project as a lender sees it.

    Attributes
    ----------
    years : int
        Of operation.
    assets : tuple of Asset
    revenues : tuple of Revenue
        The first is the one whose price is solved for, and that levelised prices are of.
    expenses : tuple of Expense
    replacements : tuple of Replacement
    debt : Debt or None
    construction : Construction
    taxes : Taxes
    inflation : float
        [fraction/yr]
    discount_real : float
        Of the owner, real. [fraction/yr]
    insurance_rate : float
        Of the cost of the assets, growing with inflation. [fraction/yr]
    working_months : float
        Of the coming year's expenses, kept aside. [months]
    working_of : {"expenses", "outlays"}
        ``outlays``: of expenses, interest and taxes of the year itself, from the first of them on.
    reserve_interest : float
        Earned on what is kept aside, on the opening balance. [fraction/yr]
    salvage_share : float
        Of the cost of the assets, revenue of the last year. [fraction]
    """

    years: int
    assets: tuple[Asset, ...]
    revenues: tuple[Revenue, ...]
    expenses: tuple[Expense, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    debt: Debt | None = None
    construction: Construction = field(default_factory=Construction)
    taxes: Taxes = field(default_factory=Taxes)
    inflation: float = 0.025
    discount_real: float = 0.064
    insurance_rate: float = 0.0
    working_months: float = 0.0
    working_of: Literal["expenses", "outlays"] = "expenses"
    reserve_interest: float = 0.0
    salvage_share: float = 0.0

    @property
    def cost_usd(self) -> float:
        """Overnight cost of all assets. [USD]"""
        return sum(asset.cost_usd for asset in self.assets)

    @property
    def discount_nominal(self) -> float:
        """Discount rate of nominal money. [fraction/yr]"""
        return (1.0 + self.discount_real) * (1.0 + self.inflation) - 1.0
