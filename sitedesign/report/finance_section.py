"""What a report says of a cash flow: what it comes to, who pays for what, the years."""

from __future__ import annotations

from sitedesign.report.figures.style import pretty
from sitedesign.results.cash_flow import CashFlow


def finance_rows(flow: CashFlow) -> list[tuple[str, str]]:
    """Say what a cash flow comes to."""
    return [row for row in flow.summary() if row[0] not in ("site", "BOUND")]


def uses_rows(flow: CashFlow) -> list[tuple[str, str, str]]:
    """Give side, item and amount of what is paid for and by whom. [M USD]"""
    table = flow.uses_and_sources()
    rows = zip(table["side"], table["item"], table["usd"], strict=True)
    return [(side, pretty(item), f"{usd / 1e6:,.2f}") for side, item, usd in rows if usd]


#: Lines of a cash flow that a reader follows from year to year.
_CASH_LINES = (
    "revenue", "expenses", "replacement_reserve", "debt_service", "reserve_release", "later_capital",
    "later_debt", "pretax", "federal_tax", "state_tax", "investment_credit", "production_credit", "after_tax",
)  # fmt: skip


def cash_years(flow: CashFlow) -> list[list[str]]:
    """Give the years of a cash flow, the names of its columns first. [M USD]"""
    table = flow.table()
    names = [name for name in _CASH_LINES if table[name].any()]
    rows = [[str(year), *(f"{table[name][year] / 1e6:,.2f}" for name in names)] for year in table.index]
    return [["Year", *(pretty(name) for name in names)], *rows]
