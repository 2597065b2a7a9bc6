"""What every command shares: exit codes, errors as text or JSON, progress, what goes to standard output."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress as Rich
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from sitedesign.util.display_units import System, text_in
from sitedesign.util.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from sitedesign.results.answer import Calls
    from sitedesign.results.evaluation import Evaluation

SOLVED, FAILED, BAD_INPUT, INFEASIBLE, GAP, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES = (
    "Exit codes: 0 solved or done, 2 bad input, 3 infeasible, 4 stopped with a gap, 130 interrupted, "
    "1 anything else. With --json standard output holds one JSON document, also when a command fails."
)

LOG_EVERY_S = 10.0  # between two lines where nobody looks
STAYS = "proven bound"  # how a line begins that is kept on the screen
out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, nothing else.", rich_help_panel="Output")]
SaveJson = Annotated[
    Path | None,
    typer.Option("--save", help="Write what --json prints to this file.", rich_help_panel="Output"),
]


# Argument of a function that a command calls -> the option that it comes from
_OPTIONS = {
    "racks": "--racks-installed",
    "time_limit_s": "--time-limit",
    "load_growth_per_yr": "--load-growth",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            "ages", "battery_mw", "battery_mwh", "by", "certify_best", "confidence", "draws", "effort", "gap",
            "method", "operation", "out", "over", "points", "scheduler", "seed", "solar_mw", "stage",
            "step_minutes", "title", "upkeep", "uptime", "values", "where", "without", "workers", "years",
        )
    },
}  # fmt: skip


@contextmanager
def exit_codes(as_json: bool, interrupted: str = "Interrupted.") -> Iterator[None]:
    """Turn errors into one message and one exit code.

    Parameters
    ----------
    as_json : bool
    interrupted : str
        What to say after Ctrl-C.
    """
    from sitedesign.errors import InfeasibleDesign, InputError, NotProvenOptimal, SiteDesignError

    codes = {InfeasibleDesign: INFEASIBLE, NotProvenOptimal: GAP}
    try:
        yield
    except InputError as error:
        named = [replace(fault, where=_OPTIONS.get(fault.where, fault.where)) for fault in error.faults]
        fail(InputError(named, error.of), BAD_INPUT, as_json)
    except SiteDesignError as error:
        code = next((code for kind, code in codes.items() if isinstance(error, kind)), FAILED)
        fail(error, code, as_json)
    except KeyboardInterrupt:
        fail(KeyboardInterrupt(interrupted), INTERRUPTED, as_json)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        fail(error, FAILED, as_json)


def fail(error: BaseException, code: int, as_json: bool) -> NoReturn:
    """Say what went wrong, on standard error or as JSON on standard output, and end with a code."""
    if as_json:
        typer.echo(failure(error, code))
    else:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def failure(error: BaseException, code: int) -> str:
    """Error as JSON; an :class:`~sitedesign.errors.InputError` with its faults one by one."""
    # What the framework says of a wrong option, without the name of its class around it
    words = error.format_message() if hasattr(error, "format_message") else str(error)
    facts: dict[str, Any] = {"error": type(error).__name__, "message": words, "exit_code": code}
    faults = getattr(error, "faults", ())
    if faults:
        facts["faults"] = [
            {"where": item.where, "found": item.found, "allowed": item.allowed, "remedy": item.remedy}
            for item in faults
        ]
    return json.dumps(facts, indent=1)


@contextmanager
def progress_line(first: str = "starting") -> Iterator[Progress]:
    """Show what is going on and for how long, on standard error.

    A bound stays on the screen from the moment it stands, long before the answer that it is of. Where nobody
    looks, as in a log, a line comes now and then with the time of day; none of what is done in a moment.
    """
    if not err.is_terminal:
        yield _log(LOG_EVERY_S)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Rich(*columns, console=err, transient=True, redirect_stdout=False) as shown:
        task = shown.add_task(first, total=None)

        def progress(text: str) -> None:
            if text.startswith(STAYS):
                shown.console.print(text, markup=False, highlight=False, soft_wrap=True)
            shown.update(task, description=text)

        yield progress


def _log(every_s: float) -> Progress:
    """Write a line now and then."""
    said = time.monotonic()

    def progress(text: str) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= every_s:
            said = now
            err.print(f"{time.strftime('%H:%M:%S')} {text}", markup=False, highlight=False, soft_wrap=True)

    return progress


def say_next(text: str) -> None:
    """Say what to do with an answer."""
    say(f"next: {text}")


def save_json(path: Path | None, facts: Any) -> None:  # noqa: ANN401
    """Write what ``--json`` prints to a file, where one is named."""
    from sitedesign.util.atomic_file import write_atomic

    if path is not None:
        write_atomic(path, (json.dumps(_finite(facts), indent=1, default=str) + "\n").encode())


_shown_in: ContextVar[System | None] = ContextVar("units of what is written", default=None)


def show_in(system: System | None) -> None:
    """Write what follows for people in the units of a system; files and JSON keep theirs."""
    _shown_in.set(system)


def shown_in() -> System | None:
    """Units that were asked for; None for those of the library."""
    return _shown_in.get()


def say(text: str) -> None:
    """Write text to standard output, in the units that were asked for."""
    out.print(text_in(text, shown_in()), markup=False, highlight=False, soft_wrap=True)


def warn(text: str) -> None:
    """Write text to standard error."""
    err.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def say_json(facts: Any) -> None:  # noqa: ANN401
    """Write one JSON document; what is not a number becomes null, as JSON has no word for it."""
    typer.echo(json.dumps(_finite(facts), indent=1, default=str))


def width() -> int:
    """Columns that texts are wrapped at: those of the terminal, where that is no wider than usual."""
    from sitedesign.util.facts import WIDTH

    return min(out.width, WIDTH) if out.is_terminal else WIDTH


def screen() -> int | None:
    """Columns of the terminal; None where the output goes to a file or another program."""
    return out.width if out.is_terminal else None


def show(result: Evaluation, as_json: bool, saved: Path | None = None, *, details: bool = False) -> None:
    """Write a design or an evaluation.

    Parameters
    ----------
    result : Evaluation
    as_json : bool
    saved : Path, optional
        Where it stands, for what to do next.
    details : bool
        Also everything else that it says in words.
    """
    if as_json:
        say_json(result.to_dict())
        return
    say(result._answer(calls_for(saved)).text(width()))
    if details:
        say("")
        say(result.details.text(width()))


def say_answer(answer: object) -> None:
    """Write lines of labels and texts, wrapped where a terminal is too narrow for them."""
    from sitedesign.util.facts import reflowed

    columns = screen()
    say(str(answer) if columns is None else reflowed(str(answer), columns))


def calls_for(saved: Path | None) -> Calls:
    """How somebody in a terminal asks for more about a design that stands in a file, or is to be saved."""
    from sitedesign.results.answer import Calls

    file = "design.json" if saved is None else str(saved)
    report = f"sitedesign report {file}"
    of = "with the same options" if saved is None else file
    return Calls(
        alternatives=f"sitedesign alternatives {of}",
        sensitivity=f"sitedesign sensitivity {of}",
        certify="sitedesign solve without --no-certify",
        report=report if saved is not None else f"--save {file}, then {report}",
        details="--details",
        measure="sitedesign weather fetch",
        careful="--practice careful",
    )


def show_written(path: Path, as_json: bool) -> None:
    """Say which file was written."""
    if as_json:
        say_json({"written": str(path)})
    else:
        say(f"Written: {path}")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table, ready for JSON."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows


def check_outputs(paths: Mapping[str, Path | None]) -> None:
    """Find out before a long run whether its results can be written.

    Parameters
    ----------
    paths : mapping of str to path or None
        File to write by option.

    Raises
    ------
    InputError
    """
    from sitedesign.errors import Fault, InputError
    from sitedesign.util.gate import File

    gate, faults = File(says="must be a file to write"), []
    for option, path in paths.items():
        if path is None:
            continue
        wrong = gate.faults(option, path)
        if wrong:
            faults += wrong
            continue
        folder = path.absolute().parent
        if path.is_dir():
            faults.append(Fault(option, f"{path}, which is a folder", "must be a file to write"))
        elif not folder.is_dir():
            faults.append(Fault(option, f"{path}", f"needs the folder {folder}", "Make it first."))
        elif not os.access(folder, os.W_OK):
            faults.append(Fault(option, f"{path}", f"the folder {folder} cannot be written to"))
    if faults:
        raise InputError(faults, "the command line")


def check_table(option: str, path: Path | None) -> None:
    """Find out before a long run whether a table of hours can be written.

    Raises
    ------
    InputError
    """
    from sitedesign.errors import InputError
    from sitedesign.util.gate import File

    faults = [] if path is None else File((".csv", ".parquet")).faults(option, path)
    if faults:
        raise InputError(faults, "the command line")
    check_outputs({option: path})


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write hours with their time first: as CSV, or as Parquet."""
    from sitedesign.util.atomic_file import write_atomic

    hours = table.reset_index(names="time")
    as_bytes = (
        hours.to_parquet(index=False) if path.suffix.lower() == ".parquet" else hours.to_csv(index=False)
    )
    write_atomic(path, as_bytes if isinstance(as_bytes, bytes) else as_bytes.encode())


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
