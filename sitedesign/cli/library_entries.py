"""Commands about the technology library: list, show, check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sitedesign.cli.console import AsJson, exit_codes, out, records, say, say_json
from sitedesign.cli.study_options import OF

if TYPE_CHECKING:
    from sitedesign.errors import Fault

app = typer.Typer(no_args_is_help=True, help="The technology library: equipment, prices, sources.")


@app.command("list", epilog="Example: sitedesign library list backup")
def list_command(
    kind: Annotated[
        str | None, typer.Argument(help="Only this kind, for example backup.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the entries of the technology library."""
    with exit_codes(as_json):
        from sitedesign import library

        if kind is not None:
            _check_kind(kind)
        table = library.list_entries(kind)
        if as_json:
            say_json(records(table))
            return
        shown = Table(box=None, pad_edge=False)
        for column in table.columns:
            words = column in ("kind", "name")
            shown.add_column(str(column).replace("_", " "), no_wrap=words, overflow="fold")
        for row in table.itertuples(index=False):
            shown.add_row(*(str(cell) for cell in row))
        out.print(shown)


@app.command(epilog="Example: sitedesign library show backup recip_medium")
def show(
    kind: Annotated[str, typer.Argument(help="pv, battery, backup, fuel, rack, facility ...")],
    name: Annotated[str, typer.Argument(help="Name of an entry, or the path of a TOML file.")],
    as_json: AsJson = False,
) -> None:
    """Show every number of one entry with its source."""
    with exit_codes(as_json):
        from sitedesign import library

        _check_kind(kind)
        if as_json:
            say_json(library.entry(kind, name).model_dump(mode="json"))
        else:
            say(str(library.show(kind, name)))


@app.command(epilog="Example: sitedesign library check my_turbine.toml")
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="TOML files of your own, or folders of them; the whole library when left out.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check entries: keys, units, ranges, sources. Every fault of every file at once."""
    with exit_codes(as_json):
        from sitedesign.errors import InputError

        good, faults = _check_files(files) if files else _check_library()
        if faults:
            raise InputError(faults, "the technology library" if not files else OF)
        if as_json:
            say_json({"entries": good, "faults": []})
            return
        for entry in good if files else []:
            say(f"{entry['file']}: {entry['kind']} {entry['name']}, {entry['numbers']} numbers, no faults.")
        if not files:
            say(f"{len(good)} entries, {sum(item['numbers'] for item in good)} numbers, no faults.")


def _check_kind(kind: str) -> None:
    from sitedesign import library
    from sitedesign.errors import InputError, unknown_name

    if kind not in library.KINDS:
        raise InputError([unknown_name("KIND", kind, library.KINDS)], OF)


def _check_library() -> tuple[list[dict[str, Any]], list[Fault]]:
    from sitedesign import library
    from sitedesign.errors import InputError

    good: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for kind in library.KINDS:
        for name in library.names(kind):
            try:
                entry = library.entry(kind, name)
            except InputError as error:
                faults += error.faults
            else:
                good.append({"kind": kind, "name": name, "numbers": len(entry.numbers())})
    return good, faults


def _check_files(paths: list[Path]) -> tuple[list[dict[str, Any]], list[Fault]]:
    from sitedesign import library
    from sitedesign.errors import Fault, InputError
    from sitedesign.util.gate import File

    good: list[dict[str, Any]] = []
    faults: list[Fault] = []
    gate = File(says="must be the path of a TOML file or of a folder of them")
    for path in paths:
        wrong = gate.faults("FILES", path)
        if wrong:
            faults += wrong
            continue
        try:
            inside = sorted(path.rglob("*.toml")) if path.is_dir() else [path]
        except OSError as error:
            found = f"a folder that cannot be read ({error.strerror})"
            faults.append(Fault(str(path), found, "must be readable"))
            continue
        if not inside:
            faults.append(Fault(str(path), "a folder without TOML files", "needs at least one"))
        for file in inside:
            try:
                entry = library.load(file)
            except InputError as error:
                faults += error.faults
            else:
                numbers = len(entry.numbers())
                good.append({"file": str(file), "kind": entry.kind, "name": entry.name, "numbers": numbers})
    return good, faults
