"""A cash flow as a workbook whose formulas are alive: what a lender opens, checks and changes.

Four sheets: what it comes to, the terms (the cells to change), the shares of depreciation, and the years.
Each cell that follows from others is a formula; beside it stands the value that this package found, so that
the book shows the same before a spreadsheet has calculated it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from sitedesign.errors import Fault, InputError
from sitedesign.finance.cash_flow import CashFlow
from sitedesign.finance.construction import construction_usd
from sitedesign.finance.depreciation import deductions
from sitedesign.finance.project import Debt, Project
from sitedesign.finance.returns import present_value
from sitedesign.util.atomic_file import write_given

_FIRST = 2  # column of year 0
Formula = Callable[[int], str]  # of a year; nothing where the cell stays empty
_TITLES = {
    "ebitda": "EBITDA",
    "cash_for_debt": "cash available for debt service",
    "pretax": "cash flow before tax",
    "after_tax": "CASH FLOW OF EQUITY AFTER TAX",
}


@dataclass(frozen=True)
class _Line:
    """One line of the sheet of years; numbers where there is no formula."""

    name: str
    formula: Formula | None
    total: bool = False


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
    try:
        import xlsxwriter
    except ImportError:
        remedy = "pip install sitedesign[excel]"
        raise InputError(
            [Fault("to_excel()", "XlsxWriter is not installed", "is needed", remedy)], "to_excel()"
        ) from None
    stream = BytesIO()
    # What a user called something is text, whatever it begins with
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, plain) as book:
        _Book(book, flow, title, unit).write()
    write_given(path, stream.getvalue(), where="to_excel()", of="to_excel()")
    return path


def _check(project: Project) -> None:
    """Refuse what the sheets would leave out without a word."""
    built, taxes = project.construction, project.taxes
    absent = (
        project.insurance_rate,
        taxes.property_rate,
        len(taxes.production_credits),
        built.fee,
        1.0 - built.loan_share,
        built.equity_years - 1,
        built.early_years,
        built.compound or built.draws == "delivery",
        taxes.property_on_book,
        project.working_of != "expenses",
        any(asset.in_service > 1 for asset in project.assets),
        any(stream.change or stream.contract_yr is not None for stream in project.revenues),
        project.debt is not None and project.debt.repayment != "level",
        project.debt.closing_usd if project.debt is not None else 0.0,
    )
    if any(absent):
        message = "the workbook has no lines for insurance, property tax, production credits and such fees"
        raise ValueError(message)


class _Book:
    """The sheets while they are written; names are those of cells that formulas read."""

    def __init__(self, book: Any, flow: CashFlow, title: str, unit: str) -> None:  # noqa: ANN401
        self.book, self.flow, self.project, self.title, self.unit = book, flow, flow.project, title, unit
        self.summary, self.terms, self.shares, self.years = (
            book.add_worksheet(name) for name in ("Summary", "Terms", "Depreciation", "Cash flow")
        )
        self.bold = book.add_format({"bold": True})
        self.given = book.add_format({"font_color": "#0000FF", "num_format": "#,##0.00##"})
        self.money = book.add_format({"num_format": "#,##0;[Red]-#,##0;-"})
        self.share = book.add_format({"num_format": "0.00%"})
        self.total = book.add_format({"bold": True, "top": 1, "num_format": "#,##0;[Red]-#,##0;-"})
        self.number = book.add_format({"num_format": "#,##0.00"})
        self.rows: dict[str, int] = {}  # of the sheet of years
        self.row_of_terms = 0

    def write(self) -> None:
        """Write all of it."""
        self._terms()
        self._shares()
        self._years()
        self._summary()

    # Terms ------------------------------------------------------------------------------------------

    def _terms(self) -> None:
        project, debt, taxes = self.project, self.project.debt, self.project.taxes
        self.terms.set_column(0, 0, 44)
        self.terms.set_column(1, 6, 16)
        self._heading("Terms (blue cells are to change)")
        first = project.revenues[0]
        for name, value, label in (
            ("price", self._price(), f"price in year 1 [USD/{self.unit}]"),
            ("price_escalation", first.escalation, "rise of the price [a year]"),
            ("inflation", project.inflation, "inflation [a year]"),
            ("discount", project.discount_nominal, "discount rate of equity, nominal"),
            ("discount_real", project.discount_real, "discount rate of equity, real"),
            ("federal_tax", taxes.federal, "federal tax"),
            ("state_tax", taxes.state, "state tax"),
            ("basis_reduction", taxes.credit_basis_reduction, "share of a credit taken off the basis"),
            ("credit_price", taxes.credit_price, "what a dollar of credit brings [USD]"),
            ("construction_months", project.construction.months, "months of construction"),
            ("construction_rate", project.construction.rate, "interest while it is built [a year]"),
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
        cell = f"'{sheet}'!${_letters(column)}${row + 1}"
        if last is not None:
            cell += f":${_letters(column)}${last + 1}"
        self.book.define_name(f"t_{name}", f"={cell}")

    def _assets(self) -> None:
        project = self.project
        finance = construction_usd(project)
        self._heading("Asset", "cost [USD]", "credit", "basis [USD]", "credit [USD]")
        first = self.row_of_terms
        for asset in project.assets:
            row = self.row_of_terms
            self.terms.write(row, 0, asset.name)
            self.terms.write_number(row, 1, asset.cost_usd, self.given)
            self.terms.write_number(row, 2, asset.credit, self.given)
            whole = asset.cost_usd * (1 + finance / project.cost_usd)
            basis = whole * (1 - project.taxes.credit_basis_reduction * asset.credit)
            at = f"B{row + 1}*(1+t_finance/t_cost)"
            self._formula(self.terms, row, 3, f"{at}*(1-t_basis_reduction*C{row + 1})", basis)
            self._formula(self.terms, row, 4, f"{at}*C{row + 1}", whole * asset.credit)
            self.row_of_terms += 1
        last = self.row_of_terms - 1
        for name, column in (("costs", 1), ("bases", 3), ("credits", 4)):
            self._define(name, "Terms", first, column, last)
        self._derived("cost", "SUM(t_costs)", project.cost_usd, "cost of all assets [USD]")
        self._derived(
            "finance",
            "t_cost*t_construction_rate*t_construction_months/24",
            finance,
            "interest while it is built: half of the loan is drawn on average [USD]",
        )

    def _derived(self, name: str, formula: str, value: float, label: str) -> None:
        self.terms.write(self.row_of_terms, 0, label)
        self._formula(self.terms, self.row_of_terms, 1, formula, value)
        self._define(name, "Terms", self.row_of_terms, 1)
        self.row_of_terms += 1

    def _tables(self) -> None:
        """Expenses and replacements, whose rows the years read."""
        project = self.project
        self.expense_rows: list[int] = []
        self._heading("Expense", "USD in year 1", "rise a year")
        for item in project.expenses:
            base = item.usd_per_yr if not isinstance(item.usd_per_yr, tuple) else item.usd_per_yr[0]
            self.terms.write(self.row_of_terms, 0, item.name)
            self.terms.write_number(self.row_of_terms, 1, base, self.given)
            self.terms.write_number(self.row_of_terms, 2, item.escalation, self.given)
            self.expense_rows.append(self.row_of_terms)
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

    # Shares -----------------------------------------------------------------------------------------

    def _shares(self) -> None:
        """Share of each basis that each year deducts: federal, state, and of what is bought again."""
        project, sheet = self.project, self.shares
        sheet.set_column(0, 0, 44)
        row = 0
        self.blocks: dict[str, tuple[int, int]] = {}
        for block, items in _share_table(project).items():
            sheet.write(row, 0, f"{block} deductions, share of the basis", self.bold)
            for year in range(1, project.years + 1):
                sheet.write_number(row, _FIRST + year, year, self.bold)
            first = row + 1
            for name, shares in items:
                row += 1
                sheet.write(row, 0, name)
                for year, share in enumerate(shares, start=1):
                    sheet.write_number(row, _FIRST + year, share, self.share)
            self.blocks[block] = (first, row)
            row += 2

    # Years ------------------------------------------------------------------------------------------

    def _years(self) -> None:
        """Write the years: all lines get their rows first, so that a formula may read what stands below."""
        sheet, years = self.years, range(self.project.years + 1)
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, len(years) + _FIRST, 14)
        sheet.freeze_panes(1, 1)
        sheet.write(0, 0, "Nominal USD; what goes out is below zero", self.bold)
        lines = [*self._operation(), *self._debt_lines(), *self._tax_lines()]
        self.rows = {line.name: row for row, line in enumerate(lines, start=1)}
        self._sized_debt()
        for line in lines:
            row = self.rows[line.name]
            sheet.write(
                row, 0, _TITLES.get(line.name, line.name.replace("_", " ")), self.bold if line.total else None
            )
            values = self.flow.lines.get(line.name, self.helpers.get(line.name))
            assert values is not None, line.name
            style = self.total if line.total else self.number if line.name == "price" else self.money
            for year in years:
                if row == 1:
                    sheet.write_number(0, _FIRST + year, year, self.bold)
                if line.formula is None:
                    sheet.write_number(row, _FIRST + year, values[year], style)
                elif text := line.formula(year):
                    self._formula(sheet, row, _FIRST + year, text, values[year], style)

    def _at(self, name: str, year: int) -> str:
        return f"{_letters(_FIRST + year)}{self.rows[name] + 1}"

    def _sum(self, names: Sequence[str]) -> Formula:
        return lambda t: "+".join(self._at(name, t) for name in names) or "0"

    def _operation(self) -> list[_Line]:
        project = self.project
        first, *others = project.revenues
        growth: Formula = lambda t: f"t_price*(1+t_price_escalation)^{t - 1}"  # noqa: E731
        if isinstance(first.usd_per_unit, tuple):
            prices = first.usd_per_unit
            growth = lambda t: f"t_price*{prices[t - 1] / prices[0]!r}"  # noqa: E731
        sold = [stream.name for stream in project.revenues]
        lines = [
            _Line("amount", None),
            _Line("price", _later(growth)),
            _Line(first.name, _later(lambda t: f"{self._at('amount', t)}*{self._at('price', t)}")),
            *(_Line(stream.name, None) for stream in others),
        ]
        if project.salvage_share:
            sold.append("salvage")
            lines.append(_Line("salvage", lambda t: "t_salvage*t_cost" if t == project.years else ""))
        lines.append(_Line("revenue", _later(self._sum(sold)), total=True))
        for item, row in zip(project.expenses, self.expense_rows, strict=True):
            lines.append(_Line(item.name, _later(_grown(f"Terms!$B${row + 1}", f"Terms!$C${row + 1}"))))
        aside = "-SUMPRODUCT((t_again_years>={t})*t_again_usd/t_again_years)" if project.replacements else "0"
        return [
            *lines,
            _Line("expenses", _later(self._sum([item.name for item in project.expenses])), total=True),
            _Line("ebitda", _later(self._sum(["revenue", "expenses"])), total=True),
            _Line("replacement_reserve", _later(lambda t: aside.format(t=t))),
            _Line("cash", _later(self._sum(["ebitda", "replacement_reserve"])), total=True),
        ]

    def _debt_lines(self) -> list[_Line]:
        at, years = self._at, self.project.years

        def at_cover(t: int) -> str:
            return f"IF(AND(t_cover>0,{t}<=t_tenor),MAX({at('cash', t)},0)/MAX(t_cover,1),0)"

        def service(t: int) -> str:
            covered = f"IF(t_uncapped>0,-{at('service_at_cover', t)}*t_debt/t_uncapped,0)"
            return f"IF(t_cover>0,{covered},IF({t}<=t_tenor,-t_debt*t_payment,0))"

        def kept(t: int) -> str:
            if t == years:
                return "0"
            return f"-(t_debt_reserve*{at('debt_service', t + 1)}+t_working*{at('expenses', t + 1)})/12"

        earned = (
            "t_reserve_interest*({0}+SUMPRODUCT((t_again_years>={t})*t_again_usd/t_again_years)*{before})"
        )
        if not self.project.replacements:
            earned = "t_reserve_interest*{0}"
        return [
            _Line("service_at_cover", _later(at_cover)),
            _Line("debt_service", _later(service), total=True),
            _Line("interest", _later(lambda t: f"-t_debt_rate*{at('balance', t - 1)}")),
            _Line("principal", _later(lambda t: f"{at('debt_service', t)}-{at('interest', t)}")),
            _Line("balance", lambda t: f"{at('balance', t - 1)}+{at('principal', t)}" if t else "t_debt"),
            _Line("kept_aside", kept),
            _Line("reserve_release", _later(lambda t: f"{at('kept_aside', t - 1)}-{at('kept_aside', t)}")),
            _Line(
                "reserve_interest",
                _later(lambda t: earned.format(at("kept_aside", t - 1), t=t, before=t - 1)),
            ),
            _Line(
                "pretax",
                lambda t: (
                    self._sum(["cash", "debt_service", "reserve_interest", "reserve_release"])(t)
                    if t
                    else "-t_equity"
                ),
                total=True,
            ),
        ]

    def _tax_lines(self) -> list[_Line]:
        at = self._at

        def deducted(block: str) -> Formula:
            def formula(t: int) -> str:
                text = f"SUMPRODUCT(t_bases,{self._share_cells(block, t)})"
                if "replacement" in self.blocks:
                    text += f"+SUMPRODUCT(t_again_usd,{self._share_cells('replacement', t)})"
                return text

            return _later(formula)

        def income(t: int) -> str:
            return f"{at('ebitda', t)}+{at('reserve_interest', t)}+{at('interest', t)}"

        taxed = ["pretax", "federal_tax", "state_tax", "investment_credit"]
        return [
            _Line("federal_deductions", deducted("federal")),
            _Line("state_deductions", deducted("state")),
            _Line("state_tax", _later(lambda t: f"-t_state_tax*({income(t)}-{at('state_deductions', t)})")),
            _Line(
                "federal_tax",
                _later(
                    lambda t: (
                        f"-t_federal_tax*({income(t)}-{at('federal_deductions', t)}+{at('state_tax', t)})"
                    )
                ),
            ),
            _Line("investment_credit", lambda t: "SUM(t_credits)*t_credit_price" if t == 1 else ""),
            _Line("after_tax", lambda t: self._sum(taxed)(t) if t else at("pretax", 0), total=True),
        ]

    def _share_cells(self, block: str, year: int) -> str:
        (first, last), column = self.blocks[block], _letters(_FIRST + year)
        return f"Depreciation!{column}${first + 1}:{column}${last + 1}"

    def _sized_debt(self) -> None:
        """Size debt and equity on the sheet of terms, from cash on the sheet of years."""
        flow, project, debt = self.flow, self.project, self.project.debt or Debt(share=0.0, tenor_yr=1)
        cash = flow.lines["ebitda"] + flow.lines["replacement_reserve"]
        year = np.arange(project.years + 1)
        at_cover = np.where((year > 0) & (year <= debt.tenor_yr), np.maximum(cash, 0.0), 0.0)
        at_cover = at_cover / debt.dscr if debt.dscr else np.zeros(year.size)
        released = flow.lines["reserve_release"]
        self.helpers = {
            "price": np.divide(flow.lines[project.revenues[0].name], flow.lines["amount"], where=year > 0,
                               out=np.zeros(year.size)),
            "cash": cash,
            "service_at_cover": at_cover,
            "balance": flow.debt_usd + np.cumsum(flow.lines["principal"]),
            "kept_aside": released.sum() - np.cumsum(released),
        }  # fmt: skip
        first_at_cover = f"'Cash flow'!{self._at('service_at_cover', 1)}"
        span = f"{first_at_cover}:{self._at('service_at_cover', project.years)}"
        uncapped = present_value(at_cover, debt.rate)
        self._heading("Debt and equity")
        self._derived(
            "uncapped", f"NPV(t_debt_rate,{span})", uncapped, "debt that cash carries at its cover [USD]"
        )
        level = float(1.0 / np.sum((1 + debt.rate) ** -np.arange(1.0, debt.tenor_yr + 1)))
        payment = level if not debt.dscr else at_cover[1] / uncapped if uncapped else 0.0
        formula = f"IF(t_cover>0,IF(t_uncapped>0,{first_at_cover}/t_uncapped,0),-PMT(t_debt_rate,t_tenor,1))"
        self._derived("payment", formula, payment, "first debt service [of the debt]")
        working = f"t_working/12*-'Cash flow'!{self._at('expenses', 1)}"
        before_debt = flow.debt_usd + flow.equity_usd
        before_debt -= flow.debt_usd * (debt.fee + debt.reserve_months / 12 * payment)
        self._derived(
            "needs",
            f"t_cost+t_finance+{working}",
            before_debt,
            "to be financed, without the debt's own [USD]",
        )
        own = debt.fee + debt.reserve_months / 12 * payment
        most = self._debt_share() * before_debt / (1 - self._debt_share() * own)
        own_cells = "(t_debt_fee+t_debt_reserve/12*t_payment)"
        self._derived(
            "most", f"t_debt_share*t_needs/(1-t_debt_share*{own_cells})", most, "that share of all uses [USD]"
        )
        self._derived("debt", "IF(t_cover>0,MIN(t_uncapped,t_most),t_most)", flow.debt_usd, "DEBT [USD]")
        self._derived("equity", f"t_needs+t_debt*{own_cells}-t_debt", flow.equity_usd, "EQUITY [USD]")

    # Summary ----------------------------------------------------------------------------------------

    def _summary(self) -> None:
        sheet, flow, years = self.summary, self.flow, self.project.years
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 18)
        sheet.write(0, 0, self.title, self.bold)
        after = f"'Cash flow'!{self._at('after_tax', 0)}:{self._at('after_tax', years)}"
        later = f"'Cash flow'!{self._at('after_tax', 1)}:{self._at('after_tax', years)}"
        sold, revenue = (
            f"'Cash flow'!{self._at(name, 1)}:{self._at(name, years)}" for name in ("amount", "revenue")
        )
        npv = f"'Cash flow'!{self._at('after_tax', 0)}+NPV(t_discount,{later})"
        levelised = f"(NPV(t_discount,{revenue})-({npv}))/NPV({{}},{sold})"
        nominal, real = flow.levelised()[1], flow.levelised(real=True)[1]
        irr = flow.irr
        for row, (label, formula, value, style) in enumerate(
            (
                (f"price in year 1 [USD/{self.unit}]", "t_price", self._price(), self.number),
                ("cost of all assets [USD]", "t_cost", self.project.cost_usd, self.money),
                ("debt [USD]", "t_debt", flow.debt_usd, self.money),
                ("equity [USD]", "t_equity", flow.equity_usd, self.money),
                ("return of equity after tax", f"IRR({after},0.1)", 0.0 if irr is None else irr, self.share),
                ("net present value to equity [USD]", npv, flow.npv_usd, self.money),
                (
                    f"levelised cost, nominal [USD/{self.unit}]",
                    levelised.format("t_discount"),
                    nominal,
                    self.number,
                ),
                (
                    f"levelised cost, real [USD/{self.unit}]",
                    levelised.format("t_discount_real"),
                    real,
                    self.number,
                ),
            ),
            start=2,
        ):
            sheet.write(row, 0, label)
            self._formula(sheet, row, 1, formula, value, style)

    def _price(self) -> float:
        price = self.project.revenues[0].usd_per_unit
        return price[0] if isinstance(price, tuple) else price

    def _formula(self, sheet: Any, row: int, column: int, text: str, value: float, style: Any = None) -> None:  # noqa: ANN401
        sheet.write_formula(row, column, f"={text}", style or self.money, float(value))


def _later(formula: Formula) -> Formula:
    """Write nothing in year 0."""
    return lambda t: formula(t) if t else ""


def _grown(base: str, rise: str) -> Formula:
    return lambda t: f"-{base}*(1+{rise})^{t - 1}"


def _letters(column: int) -> str:
    """Name of a column: A, B, ..., Z, AA."""
    name, left = "", column + 1
    while left:
        left, letter = divmod(left - 1, 26)
        name = chr(65 + letter) + name
    return name


def _share_table(project: Project) -> dict[str, list[tuple[str, Any]]]:
    years = project.years
    again = []
    for item in project.replacements:
        shares = np.zeros(years)
        shares[item.year - 1 :] = deductions(item.recovery, years - item.year + 1)
        again.append((item.name, shares))
    return {
        "federal": [(a.name, deductions(a.recovery, years, a.bonus)) for a in project.assets],
        "state": [(a.name, deductions(a.recovery, years)) for a in project.assets],
        **({"replacement": again} if again else {}),
    }
