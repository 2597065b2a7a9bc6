"""On what terms a plant is paid for and what it gives is sold; what is left out, the library says."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from sitedesign.errors import Fault
from sitedesign.library import names
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Measure, OneOf
from sitedesign.util.inputs import Input, documented

TERMS, DEBT, TAX, SALE = "Terms of finance", "Debt", "Taxes and credits", "Price over the years"
_SHARE = Measure("fraction", 0, 1, percent_from=2)
_DEBT = Measure("fraction", 0, 1, below=True, percent_from=2)
_RATE = Measure("fraction/yr", 0, 0.5, percent_from=1)
_CHANGE = Measure("fraction/yr", -0.5, 0.5)
_YEARS = Measure("yr", 1, 60, whole=True)
_COVER = Measure("", 1, 10)
_MONTHS = Measure("months", 0, 120)
_PRICE = Measure("USD/MWh, USD/kW-month, USD/GPU-h", 0, 100_000)
#: How the price of what is sold goes over the years.
Path = Literal["flat", "falling", "v"]


@documented
class Terms(Checked):
    """Terms of finance of a project: debt, taxes, prices over the years. All rates are nominal.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.Terms(debt_dscr=1.3, debt_rate=0.07, price_path="flat").debt_dscr
    1.3
    """

    WHERE: ClassVar[str] = "terms"
    EXAMPLE: ClassVar[str] = "sd.Terms(debt_dscr=1.3, debt_rate=0.07)"

    # fmt: off
    years: Annotated[int | None, _YEARS, Input(
        "years", "Years of operation. Those of the library when left out.", TERMS, example=25,
    )] = None
    debt: Annotated[str | None, OneOf(("finance", *names("debt"))), Input(
        "debt terms", "Terms of the library's debts; ``finance`` is the study's own entry. That of the owner "
        "when left out.", DEBT, example="power_merchant", type="str",
    )] = None
    debt_share: Annotated[float | None, _DEBT, Input(
        "debt", "Share of all that is financed, repaid in equal payments; of a debt sized by its cover, the "
        "most it may be. That of the debt terms when left out.", DEBT, example=0.6,
    )] = None
    debt_dscr: Annotated[float | None, _COVER, Input(
        "debt service cover", "Cash available over debt service in every year. Sizes the debt, and what "
        "is paid each year.", DEBT, example=1.3,
    )] = None
    debt_rate: Annotated[float | None, _RATE, Input(
        "interest", "Interest of the debt. That of the debt terms when left out.", DEBT, example=0.07,
    )] = None
    debt_tenor_yr: Annotated[int | None, _YEARS, Input(
        "tenor", "Years in which the debt is repaid. Those of the debt terms when left out.",
        DEBT, example=18,
    )] = None
    debt_repayment: Annotated[Literal["level", "bullet"] | None, Input(
        "repayment", "Equal payments, or all at the end. As the debt terms say when left out.",
        DEBT, example="bullet",
    )] = None
    debt_fee: Annotated[float | None, _SHARE, Input(
        "debt fee", "Fee of the debt, when it is drawn. That of the debt terms when left out.",
        DEBT, example=0.0275,
    )] = None
    reserve_months: Annotated[float | None, _MONTHS, Input(
        "reserves", "Debt service and expenses kept aside. Those of the debt terms when left out.",
        DEBT, example=6,
    )] = None
    construction_months: Annotated[float | None, _MONTHS, Input(
        "construction", "Months over which the plant is paid, on a loan at the interest of the debt. Those "
        "to first power when left out.", TERMS, example=14,
    )] = None
    construction_draws: Annotated[Literal["even", "s_curve", "delivery"], Input(
        "draws", "How it is paid over these months. ``even``: the same each month. ``s_curve``: slow at both "
        "ends. ``delivery``: a fifth with the order, the rest of each part when it is there.",
        TERMS, example="delivery",
    )] = "s_curve"
    construction_share: Annotated[float, _SHARE, Input(
        "construction loan", "Share of the cost that the construction loan gives; owners pay the rest at the "
        "same pace.", TERMS, example=0.65,
    )] = 1.0
    construction_fee: Annotated[float, _SHARE, Input(
        "fee of construction", "Fee of the construction loan.", TERMS, example=0.0125,
    )] = 0.0
    construction_interest: Annotated[Literal["simple", "compound"], Input(
        "interest of construction", "Interest while it is built. ``compound``: it is drawn on the loan and "
        "bears interest itself.", TERMS, example="compound",
    )] = "simple"
    federal_tax: Annotated[float | None, _SHARE, Input(
        "federal tax", "Federal tax on income. That of the library when left out.", TAX, example=0.21,
    )] = None
    state_tax: Annotated[float | None, _SHARE, Input(
        "state tax", "State tax on income, deducted from federal income. When left out, what makes the "
        "library's combined tax.", TAX, example=0.05,
    )] = None
    bonus: Annotated[float | None, _SHARE, Input(
        "bonus depreciation", "Share of the basis deducted in the first year. That of the library when left "
        "out.", TAX, example=1.0,
    )] = None
    credit: Annotated[Literal["investment", "production"], Input(
        "credit", "Which credit sun and wind take where they are in time for one. ``production``: by the MWh "
        "for ten years.", TAX, example="production",
    )] = "investment"
    credits: Annotated[Literal["used", "sold"], Input(
        "use of credits", "Whether the owner uses the credits or sells them, at the library's price of a "
        "dollar of them.", TAX, example="sold",
    )] = "used"
    credit_price: Annotated[float | None, _SHARE, Input(
        "price of credits", "What a dollar of tax credit brings. 1 where the owner uses it; that of the "
        "library where it is sold.", TAX, example=0.93,
    )] = None
    clean_share: Annotated[float | None, _SHARE, Input(
        "no foreign entity", "Share of the cost that comes from no prohibited foreign entity. Below the "
        "law's threshold of the year of construction a part of the plant has no credit; enough when left "
        "out.", TAX, example=0.6,
    )] = None
    inflation: Annotated[float | None, _CHANGE, Input(
        "inflation", "Rise of expenses and of what is bought again. That of the library when left out.",
        TERMS, example=0.025,
    )] = None
    fuel_escalation: Annotated[float | None, _CHANGE, Input(
        "rise of fuel prices", "Rise of fuel prices. That of other expenses when left out.",
        TERMS, example=0.03,
    )] = None
    degradation: Annotated[float | None, _RATE, Input(
        "degradation", "Yearly loss of output of the array; backup makes up for what is lost against the age "
        "that the plant was sized at. That of the library when left out.", TERMS, example=0.005,
    )] = None
    augmentation_yr: Annotated[int | None, _YEARS, Input(
        "augmentation", "Years after which the energy that the battery has lost is bought again and again. "
        "When left out, its upkeep pays for that.", TERMS, example=4,
    )] = None
    price_escalation: Annotated[float, _CHANGE, Input(
        "rise of the price", "Rise of the price of what is sold; below zero where it falls.",
        SALE, example=0.02,
    )] = 0.0
    price_path: Annotated[Path, Input(
        "price path", "How the rent of GPUs goes. ``falling``: by the library's rate; ``v``: as from 2023 to "
        "2026, down and half way back. Both begin again with each generation of racks.",
        SALE, example="falling",
    )] = "flat"
    contract_yr: Annotated[int | None, _YEARS, Input(
        "contract", "Years for which the price is agreed; afterwards the market pays. All when left out.",
        SALE, example=10,
    )] = None
    market_price: Annotated[float | None, _PRICE, Input(
        "market price", "Price of the market after the contract, in money of year 1.", SALE, example=45,
    )] = None
    market_escalation: Annotated[float, _CHANGE, Input(
        "rise of the market", "Rise of the price of the market.", SALE, example=0.01,
    )] = 0.0
    sold: Annotated[float, _SHARE, Input(
        "sold", "Share of what could be sold that is.", SALE, example=0.75,
    )] = 1.0
    pass_through: Annotated[float, _SHARE, Input(
        "passed on", "Share of fuel and grid bills that a tenant of a hall pays beside the rent.",
        SALE, example=0.5,
    )] = 1.0
    salvage: Annotated[float, _SHARE, Input(
        "salvage", "Share of the cost of the plant that it brings in the last year.", TERMS, example=0.1,
    )] = 0.0
    # fmt: on

    def _contradictions(self) -> list[Fault]:
        """Find faults between fields."""
        faults = []
        if self.years is not None and self.debt_tenor_yr is not None and self.debt_tenor_yr > self.years:
            found, allowed = f"{self.debt_tenor_yr} years", f"the plant is operated for {self.years} years"
            faults.append(Fault("terms.debt_tenor_yr", found, allowed, "Repay it sooner."))
        if (self.contract_yr is None) != (self.market_price is None):
            said = "contract_yr" if self.market_price is None else "market_price"
            other = "market_price" if self.market_price is None else "contract_yr"
            allowed = f"a contract that ends needs {other} as well"
            faults.append(Fault(f"terms.{other}", "nothing", allowed, f"Give it, or leave {said} out."))
        if self.debt_dscr is not None and self.debt_repayment == "bullet":
            remedy = "Leave one of the two out."
            allowed = "a debt sized by its cover is repaid as the cash allows"
            faults.append(Fault("terms.debt_repayment", "'bullet' and a debt_dscr", allowed, remedy))
        return faults
