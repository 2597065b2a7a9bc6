"""What a lender asks of a project: what it costs, sells and pays, on what terms. Inputs of a cash flow.

All money is nominal. Year 1 is the first of operation; construction ends with year 0, at whose end all
capital is spent and the debt is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
    """

    name: str
    cost_usd: float
    recovery: RecoveryClass | tuple[float, ...] = "macrs_15"
    bonus: float = 0.0
    credit: float = 0.0


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
    """

    name: str
    amount_per_yr: float | tuple[float, ...]
    usd_per_unit: float | tuple[float, ...]
    escalation: float = 0.0


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
    """

    name: str
    usd_per_yr: float | tuple[float, ...]
    escalation: float = 0.0


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
    """A term loan, drawn at the end of construction.

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
    """

    share: float | None = None
    dscr: float | None = None
    most_share: float = 1.0
    rate: float = 0.07
    tenor_yr: int = 18
    fee: float = 0.0
    closing_usd: float = 0.0
    reserve_months: float = 0.0


@dataclass(frozen=True)
class Construction:
    """How the plant is paid while it is built, at an even pace.

    Attributes
    ----------
    months : float
        [months]
    rate : float
        Of the construction loan, simple interest on what is drawn by then. [fraction/yr]
    loan_share : float
        Of the cost of the assets. [fraction]
    fee : float
        Of the loan. [fraction]
    equity_years : int
        Years over which equity is paid in, in equal parts, the last of which is year 0.
    """

    months: float = 0.0
    rate: float = 0.0
    loan_share: float = 1.0
    fee: float = 0.0
    equity_years: int = 1


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
    production_credit_usd_per_mwh : float
        In year 1; grows with inflation and is rounded to 1 USD/MWh, as the law does. [USD/MWh]
    production_credit_mwh : float or tuple of float
        What it is paid for. [MWh/yr]
    production_credit_yr : int
        [yr]
    property_rate, property_decline : float
        Of the assessed value, which is the cost of the assets less so much of it every year.
        [fraction/yr, fraction/yr]
    """

    federal: float = 0.21
    state: float = 0.0
    credit_basis_reduction: float = 0.5
    credit_price: float = 1.0
    production_credit_usd_per_mwh: float = 0.0
    production_credit_mwh: float | tuple[float, ...] = 0.0
    production_credit_yr: int = 10
    property_rate: float = 0.0
    property_decline: float = 0.0


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
