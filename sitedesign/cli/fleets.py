"""The command about fleets of sites: portfolio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sitedesign.cli.console import (
    AsJson,
    check_outputs,
    exit_codes,
    progress_line,
    say,
    say_answer,
    say_json,
    say_next,
    show_written,
)

_CHOICE, _COSTS, _OUTPUT = "What may be chosen", "Costs", "Output"


def portfolio_command(
    results: Annotated[Path, typer.Argument(help="Folder of a batch, finished or not, or a Parquet file.")],
    racks: Annotated[int, typer.Option(help="On all sites together.", rich_help_panel=_CHOICE)],
    most_sites: Annotated[
        int | None,
        typer.Option(help="Sites that may be built. (default: any number)", rich_help_panel=_CHOICE),
    ] = None,
    least_racks: Annotated[
        int, typer.Option(help="Racks of a site that is built, at least.", rich_help_panel=_CHOICE)
    ] = 100,
    most_racks: Annotated[
        int | None, typer.Option(help="Racks of a site, at most.", rich_help_panel=_CHOICE)
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Racks in a region: NAME=MOST or NAME=LEAST:MOST; repeat for more.", rich_help_panel=_CHOICE
        ),
    ] = None,
    ramp: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MONTH=RACKS",
            help="Racks that must have power by a month; repeat for more.",
            rich_help_panel=_CHOICE,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Only sites such as 'months_to_power <= 24'.", rich_help_panel=_CHOICE),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(help="Economies of scale, see 'library list scale'; or none.", rich_help_panel=_COSTS),
    ] = "default",
    delay_usd_per_rack_month: Annotated[
        float, typer.Option(help="What a month of waiting costs a rack, once. (USD)", rich_help_panel=_COSTS)
    ] = 0.0,
    large_load: Annotated[
        bool,
        typer.Option(
            help="Let sites with a connection wait longer under rules for large loads.",
            rich_help_panel=_COSTS,
        ),
    ] = True,
    study: Annotated[
        Path | None,
        typer.Option(help="Study file with the question, where the folder does not hold it."),
    ] = None,
    exact: Annotated[bool, typer.Option(help="Solve chosen sites again at their size.")] = True,
    certify: Annotated[bool, typer.Option("--certify", help="With proof, as the screening.")] = False,
    compare: Annotated[
        list[int] | None,
        typer.Option(help="Number of sites to compare with; repeat for more.", rich_help_panel=_OUTPUT),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the portfolio to this JSON file.", rich_help_panel=_OUTPUT)
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help="Draw it on a map in this HTML file.", rich_help_panel=_OUTPUT),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write the sites to this file.", rich_help_panel=_OUTPUT)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose which sites of a batch to build, and how large each."""
    with exit_codes(as_json):
        check_outputs({"--save": save, "--map": map_file, "--csv": csv})
        with progress_line("choosing sites") as show:
            import sitedesign as sd

            question = None if study is None else sd.read_study(study)
            made = sd.portfolio(
                results, question, racks=racks, most_sites=most_sites, least_racks=least_racks,
                most_racks=most_racks, regions=_regions(region or []), ramp=_ramp(ramp or []), where=where,
                scale=None if scale == "none" else scale,
                delay_usd_per_rack_month=delay_usd_per_rack_month, large_load=large_load, exact=exact,
                certify=certify, compare=compare or [], progress=show,
            )  # fmt: skip
        if save is not None:
            made.save(save)
        if map_file is not None:
            made.write_map(map_file)
        if csv is not None:
            from sitedesign.util.atomic_file import write_atomic
            from sitedesign.util.html_table import table_csv

            write_atomic(csv, table_csv(made.table()))
        if as_json:
            say_json(made.to_dict())
            return
        say_answer(made)
        for item in made.by_sites:
            cost, built = item.cost_usd_per_yr, item.sites
            found = "cannot hold the racks" if cost is None else f"{cost / 1e6:,.2f} M USD/yr on {built}"
            say(f"  {f'at most {item.most_sites}':<24} {found}")
        for path in (save, map_file, csv):
            if path is not None:
                show_written(path, as_json=False)
        steps = [] if map_file is not None else ["--map portfolio.html draws it"]
        steps += [] if made.by_sites else ["--compare 1 sets one large site beside it"]
        if steps:
            say_next("; ".join(steps))


def _ramp(given: list[str]) -> dict[int, int] | None:
    """Read ``12=700``, as the roadmap does."""
    from sitedesign.cli.roadmapping import steps_of
    from sitedesign.errors import Fault, InputError

    faults: list[Fault] = []
    steps = steps_of(given, faults)
    if faults:
        raise InputError(faults, "the command line")
    return steps or None


def _regions(given: list[str]) -> dict[str, Any]:
    """Read ``texas=5000`` and ``texas=1000:5000``."""
    from sitedesign.errors import Fault, InputError

    found: dict[str, Any] = {}
    faults = []
    for item in given:
        name, equals, text = item.partition("=")
        try:
            numbers = tuple(float(part) for part in text.split(":"))
        except ValueError:
            numbers = ()
        if not equals or len(numbers) not in (1, 2):
            faults.append(
                Fault("--region", repr(item), "must be NAME=MOST or NAME=LEAST:MOST", "Try texas=5000.")
            )
        else:
            found[name.strip()] = numbers if len(numbers) == 2 else numbers[0]
    if faults:
        raise InputError(faults, "the command line")
    return found
