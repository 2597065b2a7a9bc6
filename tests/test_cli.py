"""Command line: what it prints where, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign import cli
from sitedesign.cli import console
from tests.cli_runs import EL_PASO, QUICK, SMALL, run

ROOT = Path(__file__).resolve().parent.parent


def run_alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m sitedesign`` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "sitedesign", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, sd.Design]:
    """Text of a solved study, and the design that it saved."""
    path = tmp_path_factory.mktemp("design") / "design.json"
    text = run("solve", *SMALL, *QUICK, "--name", "Test [bold]site[/bold]", "--save", str(path)).stdout
    return text, sd.Design.load(path)


# solve ------------------------------------------------------------------------------------------------------


def test_solve_prints_the_design_that_it_saves(solved: tuple[str, sd.Design]) -> None:
    text, design = solved
    told = [line for line in text.splitlines() if "sitedesign" not in line and "design.json" not in line]
    assert set(told[:6]) <= set(str(design).splitlines())  # but for how to ask for more
    assert "sitedesign alternatives" in text
    assert "sd." not in text
    assert text.startswith("BOUND, NOT A DESIGN TO BUILD: Test [bold]site[/bold], OPTIMAL to 0.0")
    assert design.backup == {"recip_fast": 1}
    assert design.uptime.value >= 0.99 - 1e-9


def test_json_is_the_saved_design_and_nothing_else(solved: tuple[str, sd.Design]) -> None:
    result = run("solve", *SMALL, *QUICK, "--name", "Test [bold]site[/bold]", "--json")
    printed = json.loads(result.stdout)
    assert result.stderr == ""
    assert printed["solve_seconds"] >= 0
    assert printed["metrics"]["lolh_h_per_yr"]["value"] is None  # a bound counts no hours
    assert sd.Design.from_dict(printed | {"solve_seconds": solved[1].solve_seconds}) == solved[1]


def test_python_m_sitedesign_prints_only_json_on_standard_output() -> None:
    done = run_alone("solve", *SMALL, *QUICK, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["racks_contracted"] == 16  # 2 MW / 0.126 MW = 15.9
    assert re.sub(r"(?m)^\d\d:\d\d:\d\d .*\n", "", done.stderr) == ""  # what it is at, on a slow machine


def test_limits_and_prices_reach_the_study() -> None:
    result = run(
        *("solve", *SMALL, *QUICK, "--gas-price", "9", "--min-renewable-share", "0.5", "--seed", "3"),
        *("--limit", "solar_mw=20", "--limit", "recip_fast=1:2", "--racks", "16", "--json"),
        code=cli.BAD_INPUT,
    )
    assert "both racks and it_mw" in json.loads(result.stdout)["message"]
    result = run(
        *("solve", *EL_PASO, "--racks", "16", "--years", "1", "--uptime", "0.99", "--backup", "recip_fast"),
        *("--gas-price", "9", "--min-renewable-share", "0.5", "--seed", "3", "--limit", "solar_mw=20"),
        *("--limit", "recip_fast=1:2", "--json", *QUICK),
    )
    design = json.loads(result.stdout)
    assert design["study"]["limits"]["solar_mw"] == [0, 20]
    assert design["study"]["limits"]["units"] == {"recip_fast": [1, 2]}
    assert design["study"]["fuel_price_usd_per_mmbtu"] == {"natural_gas": 9}
    assert design["study"]["seed"] == 3
    assert design["energy_mwh_per_yr"]["backup"] <= 0.5 * design["load_mwh_per_yr"] * (1 + 1e-9)


FAULTY = ["--lat", "31.76", "--lon", "-106.49", "--it-mw", "2", "--uptime", "9.99", "--backup", "recip_fst"]
FAULTY_MESSAGE = (
    "3 problems in the inputs of the command line:\n"
    " * --backup: got 'recip_fst'; must be one of "
    + ", ".join(sorted(sd.library.names("backup")))
    + ". Did you mean 'recip_fast'?\n"
    " * --limit solar: got an unknown key; there is no such key. Did you mean 'solar_mw'?\n"
    " * --uptime: got 9.99; must be a fraction in (0, 1). Per cent carry their sign: '9.99 %'."
)


def test_all_faults_at_once_go_to_standard_error() -> None:
    result = run("solve", *FAULTY, "--limit", "solar=9", code=cli.BAD_INPUT)
    assert result.stderr.strip() == FAULTY_MESSAGE
    assert result.stdout == ""


def test_faults_as_json() -> None:
    result = run("solve", *FAULTY, "--limit", "solar=9", "--json", code=cli.BAD_INPUT)
    answer = json.loads(result.stdout)
    faults = answer.pop("faults")
    assert answer == {"error": "InputError", "message": FAULTY_MESSAGE, "exit_code": 2}
    assert [fault["where"] for fault in faults] == ["--backup", "--limit solar", "--uptime"]
    assert faults[2]["remedy"] == "Per cent carry their sign: '9.99 %'."
    assert result.stderr == ""


def test_faults_end_a_process_with_two() -> None:
    done = run_alone("solve", *EL_PASO, "--it-mw", "2", "--uptime", "9.99")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Per cent carry their sign" in done.stderr
    assert "Traceback" not in done.stderr


def test_malformed_limits_are_all_named() -> None:
    result = run("solve", *SMALL, "--limit", "solar_mw", "--limit", "battery_mw=1:2:3", code=cli.BAD_INPUT)
    remedy = "must be NAME=MOST or NAME=LEAST:MOST. Try solar_mw=900."
    assert result.stderr.strip() == (
        "2 problems in the inputs of the command line:\n"
        f" * --limit: got 'solar_mw'; {remedy}\n"
        f" * --limit: got 'battery_mw=1:2:3'; {remedy}"
    )


def test_an_option_left_out_is_bad_input() -> None:
    assert "--uptime" in run("solve", *EL_PASO, code=cli.BAD_INPUT).stderr


def test_unknown_method_is_bad_input() -> None:
    result = run("solve", *SMALL, *QUICK, "--method", "magic", "--gap", "2", code=cli.BAD_INPUT)
    assert "2 problems in the inputs of solve()" in result.stderr
    assert "must be one of cuts, extensive" in result.stderr


NO_POWER = [*EL_PASO, "--it-mw", "2", "--years", "2", "--uptime", "0.99", "--backup", "none"]


def test_infeasible_says_what_binds_and_what_would_do() -> None:
    result = run("solve", *NO_POWER, *QUICK, "--limit", "solar_mw=1", code=cli.INFEASIBLE)
    assert result.stdout == ""
    assert result.stderr.startswith("No design meets the request: an uptime of 99 % cannot be met")
    assert "solar_mw: 1 MW now, " in result.stderr


def test_infeasible_as_json() -> None:
    result = run("solve", *NO_POWER, *QUICK, "--limit", "solar_mw=1", "--json", code=cli.INFEASIBLE)
    answer = json.loads(result.stdout)
    assert (answer["error"], answer["exit_code"]) == ("InfeasibleDesign", 3)
    assert result.stderr == ""


HURRIED = ["solve", *SMALL, *QUICK, "--method", "extensive", "--time-limit", "0.01"]


@pytest.mark.slow
def test_time_limit_ends_with_a_gap_and_says_what_is_proven() -> None:
    result = run(*HURRIED, code=cli.GAP)
    assert "USD/yr" in result.stderr
    assert not result.stdout or "NOT PROVEN OPTIMAL" in result.stdout


def test_time_limit_as_json() -> None:
    answer = json.loads(run(*HURRIED, "--json", code=cli.GAP).stdout)
    assert answer.get("stopped_by") == "time_limit" or answer["error"] == "NotProvenOptimal"


def test_incumbent_is_shown_and_its_gap_is_on_standard_error(
    solved: tuple[str, sd.Design], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> sd.Design:
        message = "stopped by the time limit"
        raise sd.NotProvenOptimal(message, solved[1], 1e6)

    monkeypatch.setattr(sd, "solve", stopped)
    result = run(*HURRIED, "--json", code=cli.GAP)
    assert sd.Design.from_dict(json.loads(result.stdout)) == solved[1]
    assert result.stderr == "stopped by the time limit\n"


# evaluate ---------------------------------------------------------------------------------------------------

PLANT = ["--solar-mw", "12", "--battery-mwh", "30", "--battery-mw", "8", "--units", "recip_fast=1"]


def test_evaluate_agrees_with_the_function() -> None:
    arguments = [*EL_PASO, "--racks", "16", "--years", "2", "--uptime", "0.99", *PLANT]
    answer = json.loads(run("evaluate", *arguments, "--racks-installed", "17", "--json").stdout)
    study = sd.Study(
        site=sd.Site(latitude=31.76, longitude=-106.49), racks=16, uptime=0.99, backup="recip_fast",
        weather_years=2,
    )  # fmt: skip
    expected = sd.evaluate(
        study, solar_mw=12, battery_mwh=30, battery_mw=8, backup={"recip_fast": 1}, racks=17
    )
    assert answer == expected.to_dict()
    assert answer["operation"] == "greedy"


def test_evaluate_operates_wind_and_the_connection_that_are_there() -> None:
    """One number is the size of what stands there, not a bound, also in place of a study file's."""
    arguments = [*EL_PASO, "--racks", "16", "--years", "1", "--uptime", "0.99", *PLANT]
    grid = ["--grid-model", "flexible", "--grid-mw", "3", "--grid-tariff", "ercot", "--grid-export-mw", "1"]
    answer = json.loads(run("evaluate", *arguments, "--wind-mw", "onshore_6mw_170=4", *grid, "--json").stdout)
    assert answer["resources_mw"] == {"solar": 12, "onshore_6mw_170": 4}
    assert answer["imports_mw"] == {"grid": 3}
    assert answer["sinks_mw"] == {"sale": 1}
    assert answer["grid"]["called_h_per_yr"] > 0
    refused = run("evaluate", *arguments, "--wind-mw", "onshore=4", "--wind-mw", "x", code=cli.BAD_INPUT)
    assert "--wind-mw: got 'onshore'" in refused.stderr
    assert "--wind-mw: got 'x'" in refused.stderr


def test_evaluate_takes_the_turbines_of_a_study_file_as_they_are_there(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    site = "[site]\nlatitude = 31.76\nlongitude = -106.49\n"
    path.write_text(f'racks = 16\nuptime = 0.99\nweather_years = 1\nbackup = ["recip_fast"]\n{site}')
    sizes = [*PLANT, "--wind-mw", "onshore_6mw_170=4", "--json"]
    usual = json.loads(run("evaluate", path, *sizes).stdout)
    path.write_text(f'{path.read_text()}[[wind]]\nextends = "onshore_6mw_170"\ncapex_usd_per_kw = 4000\n')
    dear = json.loads(run("evaluate", path, *sizes).stdout)
    assert dear["resources_mw"] == usual["resources_mw"] == {"solar": 12, "onshore_6mw_170": 4}
    capital = [next(item["capital_usd"] for item in found["costs"] if item["asset"] == "onshore_6mw_170")
               for found in (usual, dear)]  # fmt: skip
    assert capital[1] == pytest.approx(4000 * 4000)
    assert capital[1] > 1.5 * capital[0]


def test_evaluate_prints_text() -> None:
    text = run("evaluate", *EL_PASO, "--racks", "16", "--years", "1", "--uptime", "0.99", *PLANT).stdout
    assert text.startswith("Evaluation('31.76, -106.49'): no look-ahead, no equipment failures")
    assert "of 4.5 MW" in text


def test_evaluate_refuses_unknown_units() -> None:
    result = run(
        *("evaluate", *EL_PASO, "--racks", "16", "--uptime", "0.99", *PLANT[:-1], "recip_fst=1"),
        code=cli.BAD_INPUT,
    )
    assert "--units: got 'recip_fst'" in result.stderr
    assert "Did you mean 'recip_fast'?" in result.stderr


# weather ----------------------------------------------------------------------------------------------------


def test_weather_check_of_a_measured_record(weather_real: Path) -> None:
    folder = weather_real / "tx_amarillo_nsrdb"
    facts = json.loads(run("weather", "check", str(folder), "--json").stdout)
    assert facts["years"] == [2012, 2013]
    assert facts["is_tmy"] is False
    assert {row["days"] for row in facts["low_resource_periods"]} == {3, 5, 10}
    text = run("weather", "check", str(folder)).stdout
    assert "Darkest periods:" in text
    assert "2012" in text


def test_weather_check_warns_of_a_typical_year(weather_real: Path) -> None:
    text = run("weather", "check", str(weather_real / "az_phoenix_nsrdb_tmy")).stdout
    assert "no basis for uptime" in " ".join(text.split())


def test_weather_check_of_a_file_of_the_wrong_kind(tmp_path: Path) -> None:
    wrong = tmp_path / "shopping.csv"
    wrong.write_text("milk,2\nbread,1\n", encoding="utf-8")
    result = run("weather", "check", str(wrong), code=cli.BAD_INPUT)
    assert "shopping.csv" in result.stderr
    assert "Traceback" not in result.stderr


def test_weather_check_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = run("weather", "check", str(tmp_path / "nowhere.csv"), "--json", code=cli.BAD_INPUT)
    assert "nowhere.csv" in json.loads(result.stdout)["message"]


# library ----------------------------------------------------------------------------------------------------


def test_library_list_shows_one_kind() -> None:
    rows = json.loads(run("library", "list", "backup", "--json").stdout)
    assert {row["kind"] for row in rows} == {"backup"}
    assert {row["name"] for row in rows} == set(sd.library.names("backup"))
    assert "recip_fast" in run("library", "list", "backup").stdout


def test_library_list_shows_all_kinds() -> None:
    rows = json.loads(run("library", "list", "--json").stdout)
    assert {row["kind"] for row in rows} == set(sd.library.KINDS)


def test_library_show_gives_numbers_with_their_sources() -> None:
    text = run("library", "show", "backup", "recip_fast").stdout
    entry = json.loads(run("library", "show", "backup", "recip_fast", "--json").stdout)
    assert entry["unit_mw"] == sd.library.backup("recip_fast").unit_mw
    assert "unit_mw" in text
    assert "MW" in text


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("list", "bakup"), "Did you mean 'backup'?"),
        (("show", "bakup", "recip_fast"), "Did you mean 'backup'?"),
        (("show", "backup", "recip_fst"), "Did you mean 'recip_fast'?"),
    ],
)
def test_library_suggests_the_nearest_name(arguments: tuple[str, ...], remedy: str) -> None:
    assert remedy in run("library", *arguments, code=cli.BAD_INPUT).stderr


COMMANDS = [
    *(
        "init",
        "solve",
        "evaluate",
        "show",
        "certify",
        "report",
        "equipment",
        "plant-life",
        "battery-life",
        "finance",
        "roadmap",
        "frontier",
        "tradeoff",
        "sensitivity",
        "alternatives",
        "batch",
        "rank",
        "map",
        "portfolio",
        "serve",
    ),
    *("weather generate", "weather check", "weather fetch", "library list", "library show", "library check"),
]


def test_the_bound_stays_on_the_screen_of_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(console, "err", screen)
    study = sd.Study(site=sd.Site(latitude=31.76, longitude=-106.49), it_mw=2, uptime=0.9, weather_years=1)
    with console.progress_line() as tell:

        def until_the_bound(text: str) -> None:
            tell(text)
            if text.startswith("sizing"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            sd.solve(study, progress=until_the_bound)
    shown = screen.file.getvalue()
    assert re.search(r"proven bound: [0-9.]+ M USD/yr; now for an operator without foresight\n", shown)


def test_version() -> None:
    assert run("--version").stdout == f"{sd.__version__}\n"


@pytest.mark.parametrize("words", [(), ("solve",), ("library", "show")])
def test_short_help(words: tuple[str, ...]) -> None:
    assert run(*words, "-h").stdout == run(*words, "--help").stdout


def test_shell_completion() -> None:
    env = {"_SITEDESIGN_COMPLETE": "complete_bash", "COMP_WORDS": "sitedesign so", "COMP_CWORD": "1"}
    result = CliRunner().invoke(cli.app, [], prog_name="sitedesign", env=env)
    assert result.stdout.split() == ["solve"]


def test_the_list_of_commands_is_complete() -> None:
    found = []
    for name, command in get_command(cli.app).commands.items():
        inside = getattr(command, "commands", None)
        found += [name] if inside is None else [f"{name} {item}" for item in inside]
    assert sorted(found) == sorted(COMMANDS)


# help -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    text = run(*command.split(), "--help").stdout
    assert "Usage" in text
    assert "Example: sitedesign " + command in " ".join(text.split())
    assert "--json" in text
    assert "\\[" not in text


def test_help_loads_neither_solver_nor_compiler() -> None:
    code = (
        "import sys; from sitedesign.cli import main\n"
        "sys.argv = ['sitedesign', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'pyomo', 'highspy', 'numba', 'pandas', 'distributed'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "0 solved or done, 2 bad input, 3 infeasible, 4 stopped with a gap, 130 interrupted" in words


def test_matrix_products_of_a_command_take_one_core_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "app", lambda: None)
    monkeypatch.setattr(cli.gc, "set_threshold", lambda _: None)
    for given, used in ((None, "1"), ("3", "3")):
        monkeypatch.setattr(cli.os, "environ", {} if given is None else {"OPENBLAS_NUM_THREADS": given})
        cli.main()
        assert cli.os.environ["OPENBLAS_NUM_THREADS"] == used
