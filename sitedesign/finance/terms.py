"""On what terms a plant is paid for and its energy sold; what is left out, the library says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from sitedesign.errors import Fault
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Measure
from sitedesign.util.inputs import Input, documented

if TYPE_CHECKING:
    from sitedesign.library import Finance

TERMS = "Terms of finance"
_SHARE = Measure("fraction", 0, 1)
_DEBT = Measure("fraction", 0, 1, below=True)
_RATE = Measure("fraction/yr", 0, 0.5)
_CHANGE = Measure("fraction/yr", -0.5, 0.5)
_YEARS = Measure("yr", 1, 60, whole=True)
_COVER = Measure("", 1, 10)
_MONTHS = Measure("months", 0, 120)


@documented
class Terms(Checked):
    """Terms of finance of a project: debt, taxes, prices over the years. All rates are nominal.

    Raises
    ------
    InputError
        With every fault found.
    """

    WHERE: ClassVar[str] = "terms"
    EXAMPLE: ClassVar[str] = "sd.Terms(debt_dscr=1.3, debt_rate=0.07)"

    # fmt: off
    years: Annotated[int | None, _YEARS, Input(
        "years", "Years of operation. Those of the library when left out.", TERMS, example=25,
    )] = None
    debt_share: Annotated[float | None, _DEBT, Input(
        "debt", "Share of all that is financed, repaid in equal payments; of a debt sized by its cover, the "
        "most it may be. That of the library when left out.", TERMS, example=0.6,
    )] = None
    debt_dscr: Annotated[float | None, _COVER, Input(
        "debt service cover", "Cash available over debt service in every year. Sizes the debt, and what "
        "is paid each year.", TERMS, example=1.3,
    )] = None
    debt_rate: Annotated[float | None, _RATE, Input(
        "interest", "Interest of the debt. That of the library when left out.", TERMS, example=0.07,
    )] = None
    debt_tenor_yr: Annotated[int | None, _YEARS, Input(
        "tenor", "Years in which the debt is repaid. Those of the library when left out.", TERMS, example=18,
    )] = None
    debt_fee: Annotated[float | None, _SHARE, Input(
        "debt fee", "Fee of the debt, when it is drawn. That of the library when left out.",
        TERMS, example=0.0275,
    )] = None
    reserve_months: Annotated[float | None, _MONTHS, Input(
        "reserves", "Debt service and expenses kept aside. Those of the library when left out.",
        TERMS, example=6,
    )] = None
    construction_months: Annotated[float | None, _MONTHS, Input(
        "construction", "Months over which the plant is paid, on a loan at the interest of the debt. Those "
        "to first power when left out.", TERMS, example=14,
    )] = None
    federal_tax: Annotated[float | None, _SHARE, Input(
        "federal tax", "Federal tax on income. That of the library when left out.", TERMS, example=0.21,
    )] = None
    state_tax: Annotated[float | None, _SHARE, Input(
        "state tax", "State tax on income, deducted from federal income. When left out, what makes the "
        "library's combined tax.", TERMS, example=0.05,
    )] = None
    bonus: Annotated[float | None, _SHARE, Input(
        "bonus depreciation", "Share of the basis deducted in the first year. That of the library when left "
        "out.", TERMS, example=1.0,
    )] = None
    credit_price: Annotated[float, _SHARE, Input(
        "price of credits", "What a dollar of tax credit brings: 1 where the owner uses it, less where it is "
        "sold.", TERMS, example=0.93,
    )] = 1.0
    inflation: Annotated[float | None, _CHANGE, Input(
        "inflation", "Rise of expenses and of what is bought again. That of the library when left out.",
        TERMS, example=0.025,
    )] = None
    fuel_escalation: Annotated[float | None, _CHANGE, Input(
        "rise of fuel prices", "Rise of fuel prices. That of other expenses when left out.",
        TERMS, example=0.03,
    )] = None
    price_escalation: Annotated[float, _CHANGE, Input(
        "rise of the price", "Rise of the price of what is sold; below zero where it falls, as rents of GPUs "
        "do.",
        TERMS, example=-0.2,
    )] = 0.0
    salvage: Annotated[float, _SHARE, Input(
        "salvage", "Share of the cost of the plant that it brings in the last year.", TERMS, example=0.1,
    )] = 0.0
    # fmt: on

    def _contradictions(self) -> list[Fault]:
        """Find faults between fields."""
        if self.years is None or self.debt_tenor_yr is None or self.debt_tenor_yr <= self.years:
            return []
        allowed = f"the plant is operated for {self.years} years"
        return [Fault("terms.debt_tenor_yr", f"{self.debt_tenor_yr} years", allowed, "Repay it sooner.")]


def whole_terms(terms: Terms, finance: Finance) -> Terms:
    """Fill what was left out from a library entry.

    Parameters
    ----------
    terms : Terms
    finance : Finance

    Returns
    -------
    Terms
        With nothing left out.
    """
    years = terms.years or finance.analysis_yr
    federal = min(finance.federal_tax_fraction, finance.tax_fraction)  # the combined rate may be set lower
    state = 1.0 - (1.0 - finance.tax_fraction) / (1.0 - federal)
    known = {
        "years": years,
        "debt_share": finance.debt_fraction if terms.debt_dscr is None else finance.debt_most_fraction,
        "debt_rate": finance.debt_rate,
        "debt_tenor_yr": min(finance.debt_tenor_yr, years),
        "debt_fee": finance.debt_fee_fraction,
        "reserve_months": finance.reserve_months,
        "federal_tax": federal,
        "state_tax": state,
        "bonus": finance.bonus_depreciation_fraction,
        "inflation": finance.inflation_per_yr,
    }
    said = {name: getattr(terms, name) for name in terms.model_fields_set}
    whole = known | {name: value for name, value in said.items() if value is not None}
    whole.setdefault("fuel_escalation", whole["inflation"])
    return Terms(**whole)
