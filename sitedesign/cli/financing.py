"""The command about money: the cash flow of a saved design."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitedesign.cli.console import (
    AsJson,
    check_outputs,
    exit_codes,
    progress_line,
    save_json,
    say_answer,
    say_json,
    say_next,
    show_written,
)
from sitedesign.cli.designing import SavedDesign, load_design
from sitedesign.cli.study_options import OF, own_option, takes_study
from sitedesign.finance.terms import Terms
from sitedesign.util.inputs import declared

if TYPE_CHECKING:
    from sitedesign.api.cash_flow import CashFlow
    from sitedesign.api.design import Design
    from sitedesign.finance.sale_leaseback import SaleLeaseback
    from sitedesign.results.roadmap import Roadmap

_PRICE, _OUTPUT = "What it sells", "Output"


class TermsOptions:
    """What was said of the terms of finance: one option for each.

    Parameters
    ----------
    **given
        Values by term; None where nothing was said.
    """

    def __init__(self, **given: Any) -> None:  # noqa: ANN401
        self.given = {name: value for name, value in given.items() if value is not None}

    @classmethod
    def parameters(cls) -> dict[str, Any]:
        """Annotations by name of everything that may be given."""
        return {name: own_option(item) for name, item in declared(Terms).items()}

    def terms(self, excel: Path | None, **asked: Any) -> Terms:  # noqa: ANN401
        """Make the terms, or tell every fault of them, and of what is asked beside them, by option."""
        from sitedesign.api.cash_flow import BOOK, GATES
        from sitedesign.errors import InputError

        faults = [] if excel is None else list(BOOK.faults("--excel", excel))
        for name, value in asked.items():
            faults += [] if value is None else GATES[name].faults(_option(name), GATES[name].clean(value))
        terms = Terms()
        try:
            terms = Terms(**self.given)
        except InputError as error:
            faults += [
                replace(item, where=_option(item.where.removeprefix("terms."))) for item in error.faults
            ]
        if faults:
            raise InputError(faults, OF)
        return terms


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


@takes_study
def finance(
    options: TermsOptions,
    design: SavedDesign,
    owner: Annotated[
        str,
        typer.Option(
            help="developer: the plant sells what it serves; landlord: the hall too, let by the kW; "
            "gpu_owner: hall and racks, and GPU-hours are sold.",
            rich_help_panel=_PRICE,
        ),
    ] = "developer",
    price: Annotated[
        float | None,
        typer.Option(
            help="In year 1. (USD/MWh, USD/kW-month, USD/GPU-h)", rich_help_panel=_PRICE, show_default=False
        ),
    ] = None,
    target_irr: Annotated[
        float | None,
        typer.Option(
            "--target-irr",
            help="Return of equity after tax for which a price is found; the library's cost of equity for "
            "power when neither is given. (fraction)",
            rich_help_panel=_PRICE,
            show_default=False,
        ),
    ] = None,
    leaseback: Annotated[
        float | None,
        typer.Option(
            help="Also sell the finished plant and rent it back: the cash that the lessee keeps in year 1. "
            "(USD/yr)",
            rich_help_panel=_PRICE,
            show_default=False,
        ),
    ] = None,
    excel: Annotated[
        Path | None,
        typer.Option(
            help="Write a workbook with live formulas.", rich_help_panel=_OUTPUT, show_default=False
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", help="Write every line by year.", rich_help_panel=_OUTPUT, show_default=False),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write what --json prints to this file.", rich_help_panel=_OUTPUT, show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Work out the cash flow of a saved design or roadmap after taxes: price for a return, debt, worth."""
    with exit_codes(as_json):
        check_outputs({"--excel": excel, "--csv": csv, "--save": save})
        with progress_line("loading the design"):
            import sitedesign as sd

            asked: dict[str, Any] = {"owner": owner, "price": price, "target_irr": target_irr}
            terms = options.terms(excel, **asked, leaseback=leaseback)
            flow = sd.cash_flow(_loaded(design), terms=terms, **asked)
            lease = None if leaseback is None else flow.sale_leaseback(leaseback)
        _write(flow, excel, csv)
        facts = flow.to_dict() | ({} if lease is None else {"leaseback": _leased(lease)})
        save_json(save, facts)
        if as_json:
            say_json(facts)
            return
        say_answer(flow)
        if lease is not None:
            say_answer(lease)
        for path in (excel, csv, save):
            if path is not None:
                show_written(path, as_json=False)
        if excel is None:
            say_next("--excel cash_flow.xlsx writes it with live formulas")


def _leased(lease: SaleLeaseback) -> dict[str, Any]:
    """Give what both sides pay and earn, for JSON."""
    return {
        "sale_usd": lease.sale_usd,
        "lessee_equity_usd": lease.lessee_equity_usd,
        "lessee_irr": lease.lessee_irr,
        "lessor_irr": lease.lessor_irr,
        "lines_usd": {name: values.tolist() for name, values in lease.lines.items()},
    }


def _loaded(path: Path) -> Design | Roadmap:
    """Read a saved design, or a roadmap where that is what the file holds."""
    import sitedesign as sd

    with suppress(OSError, ValueError):
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and "horizon_months" in data:
            return sd.Roadmap.load(path)
    return load_design(path)


def _write(flow: CashFlow, excel: Path | None, csv: Path | None) -> None:
    from sitedesign.util.atomic_file import write_atomic
    from sitedesign.util.html_table import table_csv

    if excel is not None:
        flow.to_excel(excel)
    if csv is not None:
        write_atomic(csv, table_csv(flow.table().reset_index()))
