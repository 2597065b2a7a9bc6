"""Commands about one design: solve, evaluate, certify, report."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitedesign.cli.console import (
    GAP,
    SOLVED,
    AsJson,
    SaveJson,
    check_outputs,
    check_table,
    exit_codes,
    progress_line,
    save_json,
    say_answer,
    say_json,
    say_next,
    show,
    show_written,
    shown_in,
    warn,
    write_table,
)
from sitedesign.cli.study_options import OF, StudyOptions, read_limits, read_numbers, takes_study
from sitedesign.util.compile_ahead import compile_ahead

if TYPE_CHECKING:
    from sitedesign.api.cash_flow import CashFlow
    from sitedesign.api.design import Design
    from sitedesign.errors import Fault
    from sitedesign.study.study import Study

_SAME = 1e-3  # of the cost: a foresight dispatch is exact to the gap of its design
_NO_HOURS = "Without the hours of the plant, and the figures that show them: "
_OUTPUT, _RUN = "Output", "Run"

SavedDesign = Annotated[Path, typer.Argument(help="Design that 'solve --save' wrote.", show_default=False)]
Details = Annotated[
    bool,
    typer.Option("--details", help="Also print everything the result says.", rich_help_panel="Output"),
]
Hourly = Annotated[
    Path | None,
    typer.Option(
        "--hourly",
        help="Write every step of every year with every unit, as .csv or .parquet.",
        rich_help_panel="Output",
        show_default=False,
    ),
]
WeatherAgain = Annotated[
    list[Path] | None,
    typer.Option(
        "--weather", help="The weather files of the design, when it was solved with files; repeat for more."
    ),
]


@takes_study
def solve(
    options: StudyOptions,
    certify: Annotated[
        bool | None,
        typer.Option(
            help="Go on from the bound to a plant certified without foresight, under failures; about a "
            "minute. (default: yes)",
            rich_help_panel=_RUN,
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="cuts (all weather years) or extensive (one year, the reference).", rich_help_panel=_RUN
        ),
    ] = "cuts",
    effort: Annotated[
        str,
        typer.Option(
            help="standard, or screening: half as long, for a plant that may be a few per cent dearer.",
            rich_help_panel=_RUN,
        ),
    ] = "standard",
    gap: Annotated[
        float | None, typer.Option(help="Relative optimality gap. (fraction)", rich_help_panel=_RUN)
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Stop after this time with incumbent and bound. (s)", rich_help_panel=_RUN),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity", help="Also find which uncertain numbers decide; minutes.", rich_help_panel=_RUN
        ),
    ] = False,
    save: Annotated[
        Path | None, typer.Option(help="Write the design to this JSON file.", rich_help_panel=_OUTPUT)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the HTML report to this file.", rich_help_panel=_OUTPUT)
    ] = None,
    hourly: Hourly = None,
    details: Details = False,
    as_json: AsJson = False,
) -> None:
    """Find the least-cost solar and wind MW, battery MWh and MW, backup units, grid connection and racks."""
    with exit_codes(as_json):
        check_outputs({"--save": save, "--report": report})
        check_table("--hourly", hourly)
        code = SOLVED
        with progress_line("loading the solver") as progress:
            if certify is not False:
                compile_ahead()  # takes longer than all that is loaded here

            import sitedesign as sd

            study = options.study()
            try:
                design = sd.solve(
                    study, method=method, certify=certify, effort=effort, gap=gap,  # type: ignore[arg-type]  # checked by solve
                    time_limit_s=time_limit, progress=progress,
                )  # fmt: skip
            except sd.NotProvenOptimal as error:
                if error.incumbent is None:
                    raise
                design, code = error.incumbent, GAP
                stopped = str(error)
            if sensitivity:
                design = design.with_sensitivity(sd.sensitivity(design, progress=progress))
            if save is not None:
                design.save(save)
        if code == GAP:
            warn(stopped)
        if not as_json:  # first: a report that fails must not take the answer with it
            show(design, as_json, save, details=details)
        if report is not None:
            with progress_line("writing the report"):
                design.report(report, units=shown_in())
        if hourly is not None:
            with progress_line("writing the hours"):
                write_table(hourly, design.hourly())
        if as_json:
            show(design, as_json)
    raise typer.Exit(code)


@takes_study
def evaluate(
    options: StudyOptions,
    solar_mw: Annotated[float, typer.Option(help="Array. (MWdc)", rich_help_panel="The plant to operate")],
    battery_mwh: Annotated[
        float, typer.Option(help="Battery energy. (MWh)", rich_help_panel="The plant to operate")
    ],
    battery_mw: Annotated[
        float, typer.Option(help="Battery power. (MW)", rich_help_panel="The plant to operate")
    ],
    units: Annotated[
        list[str] | None,
        typer.Option(
            help="Backup units as NAME=COUNT; repeat for more. None when left out.",
            rich_help_panel="The plant to operate",
        ),
    ] = None,
    wind_mw: Annotated[
        list[str] | None,
        typer.Option(
            help="Wind farm as TURBINE=MW; repeat for more. None when left out.",
            rich_help_panel="The plant to operate",
        ),
    ] = None,
    racks_installed: Annotated[
        int | None,
        typer.Option(
            help="Racks installed; those contracted when left out.", rich_help_panel="The plant to operate"
        ),
    ] = None,
    surplus_size: Annotated[
        list[str] | None,
        typer.Option(
            help="Takers of surplus as NAME=SIZE; repeat for more. (MW, or racks)",
            rich_help_panel="The plant to operate",
        ),
    ] = None,
    operation: Annotated[
        str,
        typer.Option(
            help="greedy, causal (forecast, failures) or foresight (a bound).", rich_help_panel=_RUN
        ),
    ] = "greedy",
    save: SaveJson = None,
    details: Details = False,
    as_json: AsJson = False,
) -> None:
    """Operate a fixed plant and report uptime, energy and cost; --grid-mw is then the contracted import."""
    with exit_codes(as_json), progress_line("loading the operation") as progress:
        check_outputs({"--save": save})
        import sitedesign as sd

        counts, farms = _counts(units or []), _farms(wind_mw or [], own=_names_wind(options))
        if "file" not in options.given:
            options.given.setdefault("backup", list(counts) or ["none"])
        if farms and not _names_wind(options):  # with the numbers of a file's own table
            options.given["wind"] = list(farms)
        for size in ("grid_mw", "grid_export_mw"):  # of a plant that is there, one number is no bound
            given = options.given.get(size, ":")
            options.given |= {} if ":" in given else {size: f"{given}:{given}"}
        takers = _sizes(surplus_size or [], "--surplus-size", "Try --surplus-size miner=20.")
        study = options.study()
        progress("operating the plant")
        result = sd.evaluate(
            study, solar_mw=solar_mw, battery_mwh=battery_mwh, battery_mw=battery_mw, backup=counts,
            wind_mw=farms, racks=racks_installed, surplus_size=takers,
            operation=operation,  # type: ignore[arg-type]  # checked by evaluate
        )  # fmt: skip
        save_json(save, result.to_dict())
    show(result, as_json, details=details)
    if not as_json:
        say_next("sitedesign solve, with the same question, finds the least-cost plant and certifies it")


def show_design(
    design: SavedDesign,
    details: Details = False,
    as_json: AsJson = False,
) -> None:
    """Show a saved design again."""
    with exit_codes(as_json):
        show(load_design(design), as_json, design, details=details)


def certify(
    design: SavedDesign,
    years: Annotated[int, typer.Option(help="Weather years that the design never saw.")] = 200,
    draws: Annotated[int, typer.Option(help="Draws of outages of each weather year.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of weather and outages.")] = 7,
    confidence: Annotated[
        float, typer.Option(help="One-sided, for whether the target is met. (fraction)")
    ] = 0.95,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="What if this cause never failed, as fuel or units; may be repeated.", show_default=False
        ),
    ] = None,
    until_converged: Annotated[
        bool, typer.Option("--until-converged", help="Stop as soon as the interval is narrow enough.")
    ] = False,
    weather: WeatherAgain = None,
    save: SaveJson = None,
    as_json: AsJson = False,
) -> None:
    """State what uptime a design keeps without foresight, under failures, and how sure that is."""
    with exit_codes(as_json), progress_line("loading the operation") as progress:
        check_outputs({"--save": save})
        import sitedesign as sd

        loaded = load_design(design)
        certificate = sd.certify(
            loaded, study_of(loaded, weather or []), years=years, draws=draws, seed=seed,
            confidence=confidence, without=without or (), stop_when_converged=until_converged,
            progress=progress,
        )  # fmt: skip
    facts = {"uptime": dataclasses.asdict(certificate.uptime)} | dataclasses.asdict(certificate)
    save_json(save, facts)
    if as_json:
        say_json(facts)
        return
    say_answer(certificate)
    missed = "sitedesign solve searches a plant that keeps it"
    say_next(f"sitedesign report {design}" if certificate.met else missed)


def report(
    design: SavedDesign,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="HTML file; beside the design when left out.", show_default=False),
    ] = None,
    sweeps: Annotated[
        bool,
        typer.Option(
            "--sweeps", help="Also solve panels against batteries, the next nine and the renewable share."
        ),
    ] = False,
    sensitivity: Annotated[
        Path | None,
        typer.Option(help="What 'sensitivity --save' wrote: the numbers that decide.", show_default=False),
    ] = None,
    finance: Annotated[
        str | None,
        typer.Option(
            help="Also tell its cash flow after taxes, as that of an owner: developer, landlord, gpu_owner.",
            show_default=False,
        ),
    ] = None,
    weather: WeatherAgain = None,
    as_json: AsJson = False,
) -> None:
    """Write the HTML report of a saved design: one file that opens offline."""
    with exit_codes(as_json), progress_line("loading the design") as progress:
        from sitedesign.errors import InputError

        check_outputs({"--out": out_file})
        loaded = load_design(design)
        if sensitivity is not None:
            import sitedesign as sd

            loaded = loaded.with_sensitivity(sd.Sensitivity.load(sensitivity))
        flow = None if finance is None else _cash_flow(loaded, finance)
        target = out_file or design.with_suffix(".html")
        check_outputs({"--out": target})
        missing = ""
        try:
            study = study_of(loaded, weather or [])
            progress("operating the plant again, to have its hours")
            loaded = with_hours(loaded, study)
        except InputError as error:
            if sweeps or weather:
                raise
            missing = str(error.faults[0])
        tables = None
        if sweeps:
            from sitedesign.api.design_sweeps import design_sweeps

            tables = design_sweeps(loaded, progress, study)
        progress("writing the report")
        loaded.report(target, sweeps=tables, finance=flow, units=shown_in())
    if missing:
        warn(_NO_HOURS + missing)
    show_written(target, as_json)


def _cash_flow(design: Design, owner: str) -> CashFlow:
    """Cash flow of a design on the library's terms."""
    from sitedesign.api.cash_flow import GATES, cash_flow
    from sitedesign.errors import InputError

    faults = GATES["owner"].faults("--finance", owner)
    if faults:
        raise InputError(faults, OF)
    return cash_flow(design, owner=owner)


def load_design(path: Path) -> Design:
    """Read a saved design.

    Raises
    ------
    InputError
        If there is none, or it is not a design.
    """
    import sitedesign as sd

    remedy = "Write one with 'sitedesign solve ... --save design.json'."
    try:
        return sd.Design.load(path)
    except sd.InputError as error:
        first = error.faults[0]
        if first.where == "path":
            found = first.found
        elif not path.is_file():
            found = f"{path}, which is {'a folder' if path.is_dir() else 'not there'}"
        elif first.where == str(path):
            found = f"{path}, which is not JSON of a design"
        else:
            found = f"{path}, in which {len(error.faults)} fields are wrong, the first: {first}"
            remedy = "It may come from another version: solve the study again."
    raise sd.InputError([sd.Fault("DESIGN", found, "must be a saved design", remedy)], OF)


def with_hours(design: Design, study: Study) -> Design:
    """Operate the plant of a saved design again, to have its time series.

    Parameters
    ----------
    design : Design
    study : Study
        Its own.

    Returns
    -------
    Design

    Raises
    ------
    InputError
        If the same plant now costs something else, for example with another version's prices.
    """
    import sitedesign as sd
    from sitedesign.api.evaluate import operate_plant
    from sitedesign.case.build import build_case
    from sitedesign.results.design import LEAST_NET_SHARE
    from sitedesign.results.evaluation import Evaluation
    from sitedesign.results.saved import plant_of

    study_case = build_case(study)
    plant = plant_of(design, study_case.case)
    again: Evaluation
    if design.certificate is not None:
        from sitedesign.certified.environment import environment_of
        from sitedesign.certified.operate import operate_causally

        again = operate_causally(
            study_case, plant, design.certificate.controller, environment_of(study_case), design.rule
        )
    else:
        again = operate_plant(study_case, plant, design.operation)
    cost, turnover = design.cost_usd_per_yr, sum(abs(item.usd_per_yr) for item in design.costs)
    if abs(again.cost_usd_per_yr - cost) > _SAME * max(abs(cost), LEAST_NET_SHARE * turnover):
        found = (
            f"a plant that cost {design.cost_usd_per_yr / 1e6:,.3f} M USD/yr when it was saved and costs "
            f"{again.cost_usd_per_yr / 1e6:,.3f} now"
        )
        allowed = "must be of this version and these prices"
        raise sd.InputError([sd.Fault("DESIGN", found, allowed, "Solve the study again.")], OF)
    whole = design.model_copy()
    whole._dispatch, whole._units = again.dispatch, again._units
    return whole


def study_of(design: Design, files: list[Path]) -> Study:
    """Build the study of a saved design again.

    Parameters
    ----------
    design : Design
    files : list of Path
        Its weather files, if it had any: a saved design names them but does not hold them.

    Raises
    ------
    InputError
        If a file is needed and missing.
    """
    import sitedesign as sd
    from sitedesign.results.saved import missing_series, rebuilt_study

    missing, was = missing_series(design), design.study.get("weather")
    own = [name for name in missing if name != "weather"]
    faults: list[Fault] = []
    if own:
        allowed = "cannot be had from the saved design"
        faults.append(sd.Fault("DESIGN", f"one solved with own {' and '.join(own)}", allowed, "Use Python."))
    if was and not files:
        faults.append(
            sd.Fault("--weather", "nothing", f"the design was solved with {was}", "Give its files.")
        )
    if files and not was:
        faults.append(sd.Fault("--weather", "files", "the design was solved with generated weather"))
    if faults:
        raise sd.InputError(faults, OF)
    if not files:
        return rebuilt_study(design)
    return rebuilt_study(design, weather=sd.Weather.read(*files, site=sd.Site(**design.study["site"])))


def _names_wind(options: StudyOptions) -> bool:
    """Whether an option or the study file names the turbines, which may be of the user's own."""
    file = options.given.get("file")
    if "wind" in options.given or file is None:
        return "wind" in options.given
    from sitedesign.study.toml_file import read_toml

    return bool(read_toml(file).get("wind"))


def _farms(items: list[str], *, own: bool) -> dict[str, float]:
    """Read ``onshore_6mw_170=60`` into MW by turbine; which ones there are says the library, or the study."""
    import sitedesign as sd

    faults: list[Fault] = []
    farms = read_numbers(items, "--wind-mw", "Try onshore_6mw_170=60.", faults)
    known = sd.library.names("wind")
    unknown = [] if own else [name for name in farms if name not in known]
    faults += [sd.errors.unknown_name("--wind-mw", name, known) for name in unknown]
    if faults:
        raise sd.InputError(faults, OF)
    return farms


def _counts(items: list[str]) -> dict[str, int]:
    """Read ``recip_medium=6`` into units per technology."""
    import sitedesign as sd
    from sitedesign.study.limits import UNITS

    faults: list[Fault] = []
    limits = read_limits(items, "--units", faults)
    faults = [dataclasses.replace(item, allowed="must be NAME=COUNT", remedy="") for item in faults]
    counts = limits.pop("units", {})
    limits |= limits.pop("wind_mw", {})
    faults += [sd.errors.unknown_name("--units", name, sd.library.names("backup")) for name in limits]
    faults += [fault for name, count in counts.items() for fault in UNITS.faults(f"--units {name}", count)]
    if faults:
        raise sd.InputError(faults, OF)
    return {name: int(count) for name, count in counts.items()}


def _sizes(items: list[str], option: str, remedy: str) -> dict[str, float]:
    """Read ``miner=20`` into sizes by name."""
    import sitedesign as sd
    from sitedesign.study.limits import MW

    faults: list[Fault] = []
    sizes = read_numbers(items, option, remedy, faults)
    faults += [fault for name, size in sizes.items() for fault in MW.faults(f"{option} {name}", size)]
    if faults:
        raise sd.InputError(faults, OF)
    return sizes
