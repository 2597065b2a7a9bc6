"""A cash flow as a workbook whose formulas are alive: what a lender opens, checks and changes.

Five sheets: what it comes to, the terms (the cells to change), construction by month, shares of depreciation
and shapes of expenses, and the years. Each cell that follows from others is a formula; beside it stands the
value that this package found, so that the book shows the same before a spreadsheet has calculated it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sitedesign.finance.cash_flow import CashFlow
from sitedesign.finance.construction import Schedule, schedule
from sitedesign.finance.depreciation import deductions
from sitedesign.finance.project import Debt, Project
from sitedesign.finance.returns import present_value
from sitedesign.report.cash_flow_lines import FIRST, YEARS, Lines, letters
from sitedesign.util.workbook import new_workbook

_TITLES = {
    "ebitda": "EBITDA",
    "cash_for_debt": "cash available for debt service",
    "pretax": "cash flow before tax",
    "after_tax": "CASH FLOW OF EQUITY AFTER TAX",
}


def write_sheet(flow: CashFlow, path: Path, title: str, unit: str) -> Path:
    """Write the workbook.

    Parameters
    ----------
    flow : CashFlow
        With all equity paid in year 0.
    path : path
    title : str
        For the first sheet.
    unit : str
        Of what is sold.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        When XlsxWriter is not installed, or the file cannot be written.
    ValueError
        When the project has what the workbook has no lines for, which no design has.
    """
    _check(flow.project)
    with new_workbook(path, where="to_excel()", of="to_excel()", gaps=False) as book:
        _Book(book, flow, title, unit).write()
    return path


def _check(project: Project) -> None:
    """Refuse what the sheets would leave out without a word."""
    built, taxes = project.construction, project.taxes
    absent = (
        project.insurance_rate,
        taxes.property_rate,
        built.equity_years - 1,
        built.early_years,
        project.working_of != "expenses",
        project.debt.closing_usd if project.debt is not None else 0.0,
        any(isinstance(item.usd_per_yr, tuple) for item in project.expenses),
    )
    if any(absent):
        message = "the workbook has no lines for insurance, property tax, equity paid early and closing fees"
        raise ValueError(message)


class _Book:
    """The sheets while they are written; names are those of cells that formulas read."""

    def __init__(self, book: Any, flow: CashFlow, title: str, unit: str) -> None:  # noqa: ANN401
        self.book, self.flow, self.project, self.title, self.unit = book, flow, flow.project, title, unit
        self.summary, self.terms, self.construction, self.shares, self.years = (
            book.add_worksheet(name) for name in ("Summary", "Terms", "Construction", "Shares", YEARS)
        )
        self.bold = book.add_format({"bold": True})
        self.given = book.add_format({"font_color": "#0000FF", "num_format": "#,##0.00##"})
        self.money = book.add_format({"num_format": "#,##0;[Red]-#,##0;-"})
        self.share = book.add_format({"num_format": "0.00%"})
        self.given_share = book.add_format({"font_color": "#0000FF", "num_format": "0.00%"})
        self.total = book.add_format({"bold": True, "top": 1, "num_format": "#,##0;[Red]-#,##0;-"})
        self.number = book.add_format({"num_format": "#,##0.00"})
        self.row_of_terms = 0

    def write(self) -> None:
        """Write all of it."""
        self._terms()
        self._construction()
        self._shares()
        self.lines = Lines(self.flow, self.expense_cells, self.shape_row, self.blocks)
        self._years()
        self._summary()

    # Terms ------------------------------------------------------------------------------------------

    def _terms(self) -> None:
        project, debt, taxes = self.project, self.project.debt, self.project.taxes
        self.terms.set_column(0, 0, 44)
        self.terms.set_column(1, 6, 16)
        self._heading("Terms (blue cells are to change)")
        first, built = project.revenues[0], project.construction
        for name, value, label in (
            ("price", self._price(), f"price in year 1 [USD/{self.unit}]"),
            ("price_escalation", first.escalation, "rise of the price [a year]"),
            ("contract", first.contract_yr or project.years, "years of the contract"),
            ("market_price", first.market_usd_per_unit, f"price of the market after it [USD/{self.unit}]"),
            ("market_escalation", first.market_escalation, "rise of the market's price [a year]"),
            ("inflation", project.inflation, "inflation [a year]"),
            ("discount", project.discount_nominal, "discount rate of equity, nominal"),
            ("discount_real", project.discount_real, "discount rate of equity, real"),
            ("federal_tax", taxes.federal, "federal tax"),
            ("state_tax", taxes.state, "state tax"),
            ("basis_reduction", taxes.credit_basis_reduction, "share of a credit taken off the basis"),
            ("credit_price", taxes.credit_price, "what a dollar of credit brings [USD]"),
            ("construction_months", built.months, "months of construction"),
            ("construction_rate", built.rate, "interest while it is built [a year]"),
            ("construction_share", built.loan_share, "construction loan [of the cost]"),
            ("construction_fee", built.fee, "fee of that loan [of the loan]"),
            ("compound", float(built.compound), "interest of construction: 1 bears interest, 0 does not"),
            ("debt_rate", debt.rate if debt else 0.0, "interest of the debt [a year]"),
            ("tenor", debt.tenor_yr if debt else 1, "tenor [years]"),
            ("debt_fee", debt.fee if debt else 0.0, "fee of the debt [of the debt]"),
            ("debt_share", self._debt_share(), "debt, or the most it may be [of all uses]"),
            ("cover", (debt.dscr or 0.0) if debt else 0.0, "cover of debt service (0: equal payments)"),
            ("debt_reserve", debt.reserve_months if debt else 0.0, "debt service kept aside [months]"),
            ("working", project.working_months, "expenses kept aside [months]"),
            ("reserve_interest", project.reserve_interest, "interest on what is kept aside [a year]"),
            ("salvage", project.salvage_share, "salvage [of the cost]"),
        ):
            self._term(name, value, label)
        for number, item in enumerate(taxes.production_credits):
            mwh = item.mwh_per_yr if not isinstance(item.mwh_per_yr, tuple) else item.mwh_per_yr[0]
            self._term(f"production_{number}_usd", item.usd_per_mwh, f"credit of {item.name} [USD/MWh]")
            self._term(f"production_{number}_mwh", mwh, f"energy of {item.name} [MWh a year]")
        self._assets()
        self._tables()

    def _debt_share(self) -> float:
        debt = self.project.debt
        if debt is None:
            return 0.0
        return debt.most_share if debt.dscr is not None else debt.share or 0.0

    def _heading(self, *words: str) -> None:
        self.row_of_terms += 1 if self.row_of_terms else 0
        for column, word in enumerate(words):
            self.terms.write(self.row_of_terms, column, word, self.bold)
        self.row_of_terms += 1

    def _term(self, name: str, value: float, label: str) -> None:
        self.terms.write(self.row_of_terms, 0, label)
        self.terms.write_number(self.row_of_terms, 1, value, self.given)
        self._define(name, "Terms", self.row_of_terms, 1)
        self.row_of_terms += 1

    def _define(self, name: str, sheet: str, row: int, column: int, last: int | None = None) -> None:
        """Give a cell, or a column of cells down to a last row, a name."""
        cell = f"'{sheet}'!${letters(column)}${row + 1}"
        if last is not None:
            cell += f":${letters(column)}${last + 1}"
        self.book.define_name(f"t_{name}", f"={cell}")

    def _assets(self) -> None:
        project = self.project
        self.plan = schedule(project.assets, project.construction)
        over = 1 + self.plan.finance_usd / project.cost_usd
        self._heading("Asset", "cost [USD]", "credit", "in service in year", "basis [USD]", "credit [USD]")
        first = self.row_of_terms
        for asset in project.assets:
            row = self.row_of_terms
            self.terms.write(row, 0, asset.name)
            self.terms.write_number(row, 1, asset.cost_usd, self.given)
            self.terms.write_number(row, 2, asset.credit, self.given)
            self.terms.write_number(row, 3, asset.in_service)
            whole = asset.cost_usd * over
            basis = whole * (1 - project.taxes.credit_basis_reduction * asset.credit)
            self._formula(self.terms, row, 4, f"B{row + 1}*t_over*(1-t_basis_reduction*C{row + 1})", basis)
            self._formula(self.terms, row, 5, f"B{row + 1}*t_over*C{row + 1}", whole * asset.credit)
            self.row_of_terms += 1
        last = self.row_of_terms - 1
        for name, column in (("costs", 1), ("in_service", 3), ("bases", 4), ("credits", 5)):
            self._define(name, "Terms", first, column, last)
        self._derived("cost", "SUM(t_costs)", project.cost_usd, "cost of all assets [USD]")
        finance = "SUM(t_building_interest)+t_construction_fee*t_construction_share*t_cost"
        self._derived("finance", finance, self.plan.finance_usd, "interest and fee of construction [USD]")
        self._derived("over", "1+t_finance/t_cost", over, "cost with them, over the cost")

    def _derived(self, name: str, formula: str, value: float, label: str) -> None:
        self.terms.write(self.row_of_terms, 0, label)
        style = self.number if abs(value) < 1e3 else self.money
        self._formula(self.terms, self.row_of_terms, 1, formula, value, style)
        self._define(name, "Terms", self.row_of_terms, 1)
        self.row_of_terms += 1

    def _tables(self) -> None:
        """Expenses and replacements, whose rows the years read."""
        project = self.project
        self.expense_cells: list[tuple[str, str]] = []
        self._heading("Expense", "USD in year 1", "rise a year")
        for item in project.expenses:
            assert not isinstance(item.usd_per_yr, tuple)  # refused before
            row = self.row_of_terms
            self.terms.write(row, 0, item.name)
            self.terms.write_number(row, 1, item.usd_per_yr, self.given)
            self.terms.write_number(row, 2, item.escalation, self.given)
            self.expense_cells.append((f"Terms!$B${row + 1}", f"Terms!$C${row + 1}"))
            self.row_of_terms += 1
        self._heading("Bought again", "USD of year 1", "in year", "nominal USD")
        first = self.row_of_terms
        for again in project.replacements:
            row = self.row_of_terms
            self.terms.write(row, 0, again.name)
            self.terms.write_number(row, 1, again.cost_usd, self.given)
            self.terms.write_number(row, 2, again.year)
            nominal = again.cost_usd * (1 + project.inflation) ** (again.year - 1)
            self._formula(self.terms, row, 3, f"B{row + 1}*(1+t_inflation)^(C{row + 1}-1)", nominal)
            self.row_of_terms += 1
        if project.replacements:
            self._define("again_years", "Terms", first, 2, self.row_of_terms - 1)
            self._define("again_usd", "Terms", first, 3, self.row_of_terms - 1)

    # Construction -------------------------------------------------------------------------------------

    def _construction(self) -> None:
        """Write what is paid in each period; shares are numbers, money and interest formulas."""
        sheet, plan = self.construction, self.plan
        heads = (
            "period",
            "ends in month",
            "share",
            "paid [USD]",
            "loan [USD]",
            "interest [USD]",
            "owed [USD]",
        )
        sheet.set_column(0, len(heads), 16)
        for column, head in enumerate(heads):
            sheet.write(0, column, head, self.bold)
        last = plan.months.size
        owed = np.cumsum(plan.loan + (plan.interest if self.project.construction.compound else 0.0))
        for row, values in enumerate(_periods(plan, owed, self.project.cost_usd), start=1):
            end, share, spent, loan, interest, after = values
            sheet.write_number(row, 0, row)
            self._formula(sheet, row, 1, f"t_construction_months*A{row + 1}/{last}", end, self.number)
            sheet.write_number(row, 2, share, self.given_share)
            self._formula(sheet, row, 3, f"C{row + 1}*t_cost", spent)
            self._formula(sheet, row, 4, f"D{row + 1}*t_construction_share", loan)
            before = f"G{row}" if row > 1 else "0"
            rate = f"t_construction_rate*t_construction_months/{last}/12"
            self._formula(sheet, row, 5, f"{rate}*({before}+E{row + 1}/2)", interest)
            self._formula(sheet, row, 6, f"{before}+E{row + 1}+t_compound*F{row + 1}", after)
        self._define("building_interest", "Construction", 1, 5, last)

    # Shares -----------------------------------------------------------------------------------------

    def _shares(self) -> None:
        """Share of each basis that each year deducts, and shapes of expenses over the years."""
        project, sheet = self.project, self.shares
        sheet.set_column(0, 0, 44)
        row = 0
        self.blocks: dict[str, tuple[int, int]] = {}
        self.shape_row: dict[str, int] = {}
        for block, (title, items) in _share_table(project).items():
            sheet.write(row, 0, title, self.bold)
            for year in range(1, project.years + 1):
                sheet.write_number(row, FIRST + year, year, self.bold)
            first = row + 1
            for name, shares in items:
                row += 1
                sheet.write(row, 0, name)
                for year, share in enumerate(shares, start=1):
                    sheet.write_number(row, FIRST + year, share, self.given_share)
                if block == "shape":
                    self.shape_row[name] = row
            self.blocks[block] = (first, row)
            row += 2

    # Years ------------------------------------------------------------------------------------------

    def _years(self) -> None:
        """Write the years: all lines have their rows, so that a formula may read what stands below."""
        sheet, years, lines = self.years, range(self.project.years + 1), self.lines
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, len(years) + FIRST, 14)
        sheet.freeze_panes(1, 1)
        sheet.write(0, 0, "Nominal USD; what goes out is below zero", self.bold)
        for year in years:
            sheet.write_number(0, FIRST + year, year, self.bold)
        helpers = lines.helpers()
        self._sized_debt(helpers["service_at_cover"])
        for line in lines.all:
            row = lines.rows[line.name]
            title = _TITLES.get(line.name, line.name.replace("_", " "))
            sheet.write(row, 0, title, self.bold if line.total else None)
            values = self.flow.lines.get(line.name, helpers.get(line.name))
            assert values is not None, line.name
            style = self.total if line.total else self.number if line.name == "price" else self.money
            for year in years:
                if line.formula is None:
                    sheet.write_number(row, FIRST + year, values[year], style)
                elif text := line.formula(year):
                    self._formula(sheet, row, FIRST + year, text, values[year], style)

    def _sized_debt(self, at_cover: Any) -> None:  # noqa: ANN401
        """Size debt and equity on the sheet of terms, from cash on the sheet of years."""
        flow, debt = self.flow, self.project.debt or Debt(share=0.0, tenor_yr=1)
        first = f"'{YEARS}'!{self.lines.at('service_at_cover', 1)}"
        uncapped = present_value(at_cover, debt.rate)
        self._heading("Debt and equity")
        cells = self.lines.span("service_at_cover")
        self._derived(
            "uncapped", f"NPV(t_debt_rate,{cells})", uncapped, "debt that cash carries at its cover [USD]"
        )
        level, text = 1.0 / float(np.sum((1 + debt.rate) ** -np.arange(1.0, debt.tenor_yr + 1))), ""
        if debt.repayment == "bullet":
            level, text = debt.rate + (debt.tenor_yr == 1), "t_debt_rate+IF(t_tenor=1,1,0)"
        payment = level if not debt.dscr else at_cover[1] / uncapped if uncapped else 0.0
        text = text or "-PMT(t_debt_rate,t_tenor,1)"
        formula = f"IF(t_cover>0,IF(t_uncapped>0,{first}/t_uncapped,0),{text})"
        self._derived("payment", formula, payment, "first debt service [of the debt]")
        working = f"t_working/12*-'{YEARS}'!{self.lines.at('expenses', 1)}"
        own = debt.fee + debt.reserve_months / 12 * payment
        before_debt = flow.debt_usd + flow.equity_usd - flow.debt_usd * own
        needs = f"SUMPRODUCT((t_in_service=1)*t_costs)*t_over+{working}"
        self._derived("needs", needs, before_debt, "to be financed, without the debt's own [USD]")
        most = self._debt_share() * before_debt / (1 - self._debt_share() * own)
        own_cells = "(t_debt_fee+t_debt_reserve/12*t_payment)"
        self._derived(
            "most", f"t_debt_share*t_needs/(1-t_debt_share*{own_cells})", most, "that share of all uses [USD]"
        )
        if self.lines.staged:
            self._term(
                "debt", flow.debt_usd, "DEBT at first, as sized with its service over all stages [USD]"
            )
        else:
            sized = "IF(t_cover>0,MIN(t_uncapped,t_most),t_most)"
            self._derived("debt", sized, flow.debt_usd, "DEBT [USD]")
        equity = (
            f"t_needs+t_debt*t_debt_fee-t_debt_reserve/12*'{YEARS}'!{self.lines.at('debt_service', 1)}-t_debt"
        )
        self._derived("equity", equity, flow.equity_usd, "EQUITY [USD]")

    # Summary ----------------------------------------------------------------------------------------

    def _summary(self) -> None:
        sheet, flow = self.summary, self.flow
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 18)
        sheet.write(0, 0, self.title, self.bold)
        after, later = self.lines.span("after_tax", 0), self.lines.span("after_tax")
        sold, revenue = self.lines.span("amount"), self.lines.span("revenue")
        npv = f"'{YEARS}'!{self.lines.at('after_tax', 0)}+NPV(t_discount,{later})"
        levelised = f"(NPV(t_discount,{revenue})-({npv}))/NPV({{}},{sold})"
        nominal, real = flow.levelised()[1], flow.levelised(real=True)[1]
        irr, earns = flow.irr, (flow.irr or 0.0) > 0.0
        per_unit = f"[USD/{self.unit}]"
        rows: Sequence[tuple[str, str, float, Any]] = (
            (f"price in year 1 {per_unit}", "t_price", self._price(), self.number),
            ("cost of all assets [USD]", "t_cost", self.project.cost_usd, self.money),
            ("debt [USD]", "t_debt", flow.debt_usd, self.money),
            ("equity [USD]", "t_equity", flow.equity_usd, self.money),
            (
                "return of equity after tax",
                f"IRR({after},0.1)" if earns else "",
                irr or 0.0,
                self.share,
            ),
            ("net present value to equity [USD]", npv, flow.npv_usd, self.money),
            (f"levelised cost, nominal {per_unit}", levelised.format("t_discount"), nominal, self.number),
            (f"levelised cost, real {per_unit}", levelised.format("t_discount_real"), real, self.number),
        )
        for row, (label, formula, value, style) in enumerate(rows, start=2):
            sheet.write(row, 0, label)
            if formula:
                self._formula(sheet, row, 1, formula, value, style)
            else:
                # Of several returns a spreadsheet would show any, and of a loss none
                sheet.write(row, 1, "without one return" if irr is None else irr, style)

    def _price(self) -> float:
        price = self.project.revenues[0].usd_per_unit
        return price[0] if isinstance(price, tuple) else price

    def _formula(self, sheet: Any, row: int, column: int, text: str, value: float, style: Any = None) -> None:  # noqa: ANN401
        sheet.write_formula(row, column, f"={text}", style or self.money, float(value))


def _periods(plan: Schedule, owed: Any, cost_usd: float) -> Any:  # noqa: ANN401
    """End, share, payment, loan, interest and debt of each period of construction."""
    spent = plan.spent
    columns = (plan.months, spent / cost_usd, spent, plan.loan, plan.interest, owed)
    return zip(*(column.tolist() for column in columns), strict=True)


def _share_table(project: Project) -> dict[str, tuple[str, list[tuple[str, Any]]]]:
    years = project.years

    def from_year(first: int, recovery: Any, bonus: float = 0.0) -> Any:  # noqa: ANN401
        shares = np.zeros(years)
        shares[first - 1 :] = deductions(recovery, years - first + 1, bonus)
        return shares

    again = [(item.name, from_year(item.year, item.recovery)) for item in project.replacements]
    shapes = [(item.name, item.shape) for item in project.expenses if item.shape]
    of_basis = "deductions, share of the basis"
    return {
        "federal": (
            f"federal {of_basis}",
            [(a.name, from_year(a.in_service, a.recovery, a.bonus)) for a in project.assets],
        ),
        "state": (
            f"state {of_basis}",
            [(a.name, from_year(a.in_service, a.recovery)) for a in project.assets],
        ),
        **({"replacement": (f"{of_basis}, bought again", again)} if again else {}),
        **({"shape": ("expenses over those at the age the plant is sized at", shapes)} if shapes else {}),
    }
