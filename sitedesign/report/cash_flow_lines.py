"""The years of a cash flow as formulas of a workbook: one line a row, each cell from cells above or below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.finance.cash_flow import CashFlow, price_by_year
from sitedesign.finance.project import Debt, Revenue

FloatArray = NDArray[np.float64]
Formula = Callable[[int], str]  # of a year; nothing where the cell stays empty
FIRST = 2  # column of year 0
YEARS = "Cash flow"


@dataclass(frozen=True)
class Line:
    """One line of the sheet of years; numbers where there is no formula."""

    name: str
    formula: Formula | None
    total: bool = False


class Lines:
    """Lines of the sheet of years, and where each of them stands.

    Parameters
    ----------
    flow : CashFlow
    expense_cells : sequence of (str, str)
        Cells of each expense in year 1 and of its rise.
    shape_row : mapping of str to int
        Row of the sheet of shares in which the shape of an expense stands.
    blocks : mapping of str to (int, int)
        First and last row of each block of the sheet of shares.
    """

    def __init__(
        self,
        flow: CashFlow,
        expense_cells: Sequence[tuple[str, str]],
        shape_row: Mapping[str, int],
        blocks: Mapping[str, tuple[int, int]],
    ) -> None:
        self.flow, self.project = flow, flow.project
        self.expense_cells, self.shape_row, self.blocks = expense_cells, shape_row, blocks
        self.staged = any(asset.in_service > 1 for asset in flow.project.assets)
        self.all = [*self._operation(), *self._debt(), *self._tax()]
        self.rows = {line.name: row for row, line in enumerate(self.all, start=1)}

    def at(self, name: str, year: int) -> str:
        """Cell of a line in a year."""
        return f"{letters(FIRST + year)}{self.rows[name] + 1}"

    def span(self, name: str, first: int = 1) -> str:
        """Cells of a line from a year to the last, as other sheets write them."""
        return f"'{YEARS}'!{self.at(name, first)}:{self.at(name, self.project.years)}"

    def helpers(self) -> dict[str, FloatArray]:
        """Values of the lines that the cash flow itself does not have."""
        flow, project = self.flow, self.project
        debt, year = project.debt or Debt(share=0.0, tenor_yr=1), np.arange(project.years + 1)
        cash = flow.lines["ebitda"] + flow.lines["replacement_reserve"]
        at_cover = np.where((year > 0) & (year <= debt.tenor_yr), np.maximum(cash, 0.0), 0.0)
        at_cover = at_cover / debt.dscr if debt.dscr else np.zeros(year.size)
        released = flow.lines["reserve_release"]
        drawn = flow.debt_usd * (year == 0) + flow.lines["later_debt"] / (1.0 - debt.fee)
        credits_by_block = {
            f"production credit of {item.name}": values
            for item, values in zip(project.taxes.production_credits, production_credits(flow), strict=True)
        }
        return {
            "price": np.append(0.0, price_by_year(project.revenues[0], project.years)),
            "cash": cash,
            "service_at_cover": at_cover,
            "drawn": drawn,
            "balance": np.cumsum(drawn) + np.cumsum(flow.lines["principal"]),
            "kept_aside": released.sum() - np.cumsum(released),
            **credits_by_block,
        }

    def _sum(self, names: Sequence[str]) -> Formula:
        return lambda t: "+".join(self.at(name, t) for name in names) or "0"

    # Operation ------------------------------------------------------------------------------------------

    def _operation(self) -> list[Line]:
        project = self.project
        first, *others = project.revenues
        sold = [stream.name for stream in project.revenues]
        lines = [
            Line("amount", None),
            Line("price", later(_price(first))),
            Line(first.name, later(lambda t: f"{self.at('amount', t)}*{self.at('price', t)}")),
            *(Line(stream.name, None) for stream in others),
        ]
        if project.salvage_share:
            sold.append("salvage")
            lines.append(Line("salvage", lambda t: "t_salvage*t_cost" if t == project.years else ""))
        lines.append(Line("revenue", later(self._sum(sold)), total=True))
        lines += [
            Line(item.name, later(self._expense(item.name, *cells)))
            for item, cells in zip(project.expenses, self.expense_cells, strict=True)
        ]
        aside = "-SUMPRODUCT((t_again_years>={t})*t_again_usd/t_again_years)" if project.replacements else "0"
        return [
            *lines,
            Line("expenses", later(self._sum([item.name for item in project.expenses])), total=True),
            Line("ebitda", later(self._sum(["revenue", "expenses"])), total=True),
            Line("replacement_reserve", later(lambda t: aside.format(t=t))),
            Line("cash", later(self._sum(["ebitda", "replacement_reserve"])), total=True),
        ]

    def _expense(self, name: str, base: str, rise: str) -> Formula:
        row = self.shape_row.get(name)
        if row is None:
            return lambda t: f"-{base}*(1+{rise})^{t - 1}"
        return lambda t: f"-{base}*(1+{rise})^{t - 1}*Shares!{letters(FIRST + t)}${row + 1}"

    # Debt -----------------------------------------------------------------------------------------------

    def _debt(self) -> list[Line]:
        at, years = self.at, self.project.years

        def at_cover(t: int) -> str:
            return f"IF(AND(t_cover>0,{t}<=t_tenor),MAX({at('cash', t)},0)/MAX(t_cover,1),0)"

        def kept(t: int) -> str:
            if t == years:
                return "0"
            return f"-(t_debt_reserve*{at('debt_service', t + 1)}+t_working*{at('expenses', t + 1)})/12"

        earned = (
            "t_reserve_interest*({0}+SUMPRODUCT((t_again_years>={t})*t_again_usd/t_again_years)*{before})"
        )
        if not self.project.replacements:
            earned = "t_reserve_interest*{0}"
        stages = ["later_capital", "later_debt"] if self.staged else []
        cash = ["cash", "debt_service", "reserve_interest", "reserve_release", *stages]
        return [
            Line("service_at_cover", later(at_cover)),
            # What each stage draws has a service of its own: its sum is not followed in cells
            Line("debt_service", None if self.staged else later(self._service), total=True),
            Line("interest", later(lambda t: f"-t_debt_rate*{at('balance', t - 1)}")),
            Line("principal", later(lambda t: f"{at('debt_service', t)}-{at('interest', t)}")),
            *([Line("drawn", None)] if self.staged else []),
            Line("balance", self._balance),
            Line("kept_aside", kept),
            Line("reserve_release", later(lambda t: f"{at('kept_aside', t - 1)}-{at('kept_aside', t)}")),
            Line(
                "reserve_interest",
                later(lambda t: earned.format(at("kept_aside", t - 1), t=t, before=t - 1)),
            ),
            *(self._stages() if self.staged else []),
            Line("pretax", lambda t: self._sum(cash)(t) if t else "-t_equity", total=True),
        ]

    def _service(self, t: int) -> str:
        covered = f"IF(t_uncapped>0,-{self.at('service_at_cover', t)}*t_debt/t_uncapped,0)"
        level = f"IF({t}<=t_tenor,-t_debt*t_payment,0)"
        if self.project.debt is not None and self.project.debt.repayment == "bullet":
            level = f"IF({t}<=t_tenor,-t_debt*t_debt_rate,0)-IF({t}=t_tenor,t_debt,0)"
        return f"IF(t_cover>0,{covered},{level})"

    def _balance(self, t: int) -> str:
        if not t:
            return "t_debt"
        more = f"+{self.at('drawn', t)}" if self.staged else ""
        return f"{self.at('balance', t - 1)}+{self.at('principal', t)}{more}"

    def _stages(self) -> list[Line]:
        return [
            Line("later_capital", later(lambda t: f"-SUMPRODUCT((t_in_service={t + 1})*t_costs)*t_over")),
            Line("later_debt", later(lambda t: f"{self.at('drawn', t)}*(1-t_debt_fee)")),
        ]

    # Taxes ----------------------------------------------------------------------------------------------

    def _tax(self) -> list[Line]:
        at = self.at

        def deducted(block: str) -> Formula:
            def formula(t: int) -> str:
                text = f"SUMPRODUCT(t_bases,{self._share_cells(block, t)})"
                if "replacement" in self.blocks:
                    text += f"+SUMPRODUCT(t_again_usd,{self._share_cells('replacement', t)})"
                return text

            return later(formula)

        def income(t: int) -> str:
            return f"{at('ebitda', t)}+{at('reserve_interest', t)}+{at('interest', t)}"

        by_block = [
            Line(f"production credit of {item.name}", later(self._production_credit(number)))
            for number, item in enumerate(self.project.taxes.production_credits)
        ]
        taxed = ["pretax", "federal_tax", "state_tax", "investment_credit"]
        produced = [Line("production_credit", later(self._sum([line.name for line in by_block])))]
        taxed += ["production_credit"] if by_block else []
        return [
            Line("federal_deductions", deducted("federal")),
            Line("state_deductions", deducted("state")),
            Line("state_tax", later(lambda t: f"-t_state_tax*({income(t)}-{at('state_deductions', t)})")),
            Line(
                "federal_tax",
                later(
                    lambda t: (
                        f"-t_federal_tax*({income(t)}-{at('federal_deductions', t)}+{at('state_tax', t)})"
                    )
                ),
            ),
            Line(
                "investment_credit",
                later(lambda t: f"SUMPRODUCT((t_in_service={t})*t_credits)*t_credit_price"),
            ),
            *by_block,
            *(produced if by_block else []),
            Line("after_tax", lambda t: self._sum(taxed)(t) if t else at("pretax", 0), total=True),
        ]

    def _production_credit(self, number: int) -> Formula:
        item = self.project.taxes.production_credits[number]
        years = range(item.from_year, item.from_year + item.years)
        name = f"t_production_{number}"
        return lambda t: (
            f"ROUND({name}_usd*(1+t_inflation)^{t - 1},0)*{name}_mwh*t_credit_price" if t in years else "0"
        )

    def _share_cells(self, block: str, year: int) -> str:
        (first, last), column = self.blocks[block], letters(FIRST + year)
        return f"Shares!{column}${first + 1}:{column}${last + 1}"


def production_credits(flow: CashFlow) -> list[FloatArray]:
    """Credit of each block by year from year 0 on, as the workbook shows them apart. [USD]"""
    project, found = flow.project, []
    for item in project.taxes.production_credits:
        year = np.arange(project.years + 1)
        rate = np.floor(item.usd_per_mwh * (1.0 + project.inflation) ** (year - 1) + 0.5)
        runs = (year >= item.from_year) & (year < item.from_year + item.years)
        amount = (
            item.mwh_per_yr if not isinstance(item.mwh_per_yr, tuple) else np.append(0.0, item.mwh_per_yr)
        )
        found.append(np.where(runs, rate * amount * project.taxes.credit_price, 0.0))
    return found


def _price(first: Revenue) -> Formula:
    """Price of a year: the agreed one, by its rise or by its path, then that of the market."""

    def agreed(t: int) -> str:
        if isinstance(first.usd_per_unit, tuple):
            return f"t_price*{first.usd_per_unit[t - 1] / first.usd_per_unit[0]!r}"
        return f"t_price*(1+t_price_escalation)^{t - 1}"

    if first.contract_yr is None:
        return agreed
    market = "t_market_price*(1+t_market_escalation)^{before}"
    return lambda t: f"IF({t}<=t_contract,{agreed(t)},{market.format(before=t - 1)})"


def later(formula: Formula) -> Formula:
    """Write nothing in year 0."""
    return lambda t: formula(t) if t else ""


def letters(column: int) -> str:
    """Name of a column: A, B, ..., Z, AA."""
    name, left = "", column + 1
    while left:
        left, letter = divmod(left - 1, 26)
        name = chr(65 + letter) + name
    return name
