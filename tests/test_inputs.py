"""An input is declared once and found wherever a question is asked: tried with two that do not exist."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sitedesign as sd
from sitedesign.study.demand import LoadClass, Throughput
from sitedesign.study.inputs import GROUPS
from sitedesign.util.gate import Gate
from sitedesign.util.inputs import declared

ROOT = Path(sd.__file__).resolve().parent.parent
INPUT = """
    moonlight_usd_per_mwh: Annotated[
        float,
        Measure("USD/MWh", 0, 500),
        Input("Price of moonlight", "What a MWh of moonlight earns. Nobody has sold any.", PRICES),
    ] = 3.0
"""
TABLE = """
    moon: Annotated[
        Moon | None, Input("Moon", "The moon over the place.", DETAILS, type="mapping")
    ] = None
"""
MODEL = """
class Moon(Model):
    phase: Annotated[Literal["new", "full"], Input("Phase", "How much of it is seen.", DETAILS)] = "new"
    light_mw: Annotated[float | None, Measure("MW", 0, 9), Input("Light", "Its light.", DETAILS)] = None


"""
LIMIT = """
    owls: Annotated[
        float | None, Measure("owls", 0, 9), Input("owls", "Most owls.", LIMITS, example=4)
    ] = None
"""
SEEN = r"""
import importlib.util, inspect, sys
from pathlib import Path
from types import SimpleNamespace

import typer

import sitedesign as sd
from sitedesign import cli
from sitedesign.batch.question import make_question
from sitedesign.batch.table import read_sites
from sitedesign.cli.study_options import QuestionOptions, by_option
from sitedesign.report.content import question_rows
from sitedesign.report.study_toml import study_toml
from sitedesign.serve import form, tabs
from sitedesign.study.toml_file import write_template

def faults(call):
    try:
        call()
    except sd.InputError as error:
        return error.faults
    raise AssertionError("no fault was found")


folder, docs = Path(sys.argv[1]), Path(sys.argv[2])
assert Path(sd.__file__).is_relative_to(folder), sd.__file__

# The template offers both as they stand, and says unit and meaning
path = write_template(folder / "study.toml", racks=7, uptime=0.9)
text = path.read_text(encoding="utf-8")
lines = {line.split(" = ")[0]: line for line in text.splitlines()}
assert lines["#moonlight_usd_per_mwh"].split("#")[-1] == " [USD/MWh] What a MWh of moonlight earns"
assert lines["#owls"].split("#")[-1] == " [owls] Most owls"
assert sd.read_study(path).moonlight_usd_per_mwh == 3
text = text.replace("#moonlight_usd_per_mwh = 3", "moonlight_usd_per_mwh = 501").replace("#owls", "owls")
path.write_text(text)
(fault,) = faults(lambda: sd.read_study(path))
assert fault.where == f"{path} moonlight_usd_per_mwh", fault
assert fault.allowed == "must be in [0, 500] USD/MWh", fault
(fault,) = by_option([sd.Fault("study.moonlight_usd_per_mwh", "x", "y")])
assert fault.where == "--moonlight-usd-per-mwh"
path.write_text(path.read_text().replace("= 501", "= 5"))
asked = sd.read_study(path)
assert (asked.moonlight_usd_per_mwh, asked.limits.owls) == (5, 4)

# The command line has an option for the one, and takes the other as any limit
solve = typer.main.get_command(cli.app).commands["solve"]
option = next(item for item in solve.params if item.name == "moonlight_usd_per_mwh")
assert option.opts == ["--moonlight-usd-per-mwh"]
assert option.help == "What a MWh of moonlight earns. (USD/MWh) (default: 3.0)", option.help
given = QuestionOptions(moonlight_usd_per_mwh=5.0, limit=["owls=4"]).fields_given()
assert given == {"moonlight_usd_per_mwh": 5.0, "limits": {"owls": 4.0}}

# The planner asks both, and says what is wrong beside each
fields = {field.name: field for group in form.groups() for field in group.fields}
assert (fields["moonlight_usd_per_mwh"].label, fields["moonlight_usd_per_mwh"].unit) == (
    "Price of moonlight", "USD/MWh",
)
assert fields["limits.owls"].label == "Most owls"
answered = form.study_of(form.defaults() | {"moonlight_usd_per_mwh": 5, "limits.owls": "4"})
assert (answered.moonlight_usd_per_mwh, answered.limits.owls) == (5, 4)
wrong = form.defaults() | {"moonlight_usd_per_mwh": -1, "limits.owls": 12}
beside, rest = tabs.beside_fields(faults(lambda: form.study_of(wrong)), "plant")
assert (set(beside), rest) == ({"moonlight_usd_per_mwh", "limits.owls"}, [])

# A table of sites may have a column for each
row = {"latitude": 31.8, "longitude": -106.5, "moonlight_usd_per_mwh": "5", "limits.owls": "4"}
sites = read_sites([row])
of_row = make_question(None, {"racks": 7, "uptime": 0.9}, sites).study(sites.rows[0])
assert (of_row.moonlight_usd_per_mwh, of_row.limits.owls) == (5, 4)

# The report tells what is not as usual, in words and as a study file
said = SimpleNamespace(weather="w", weather_years=(1,), weather_flags=())
told = SimpleNamespace(study=asked.to_dict(), provenance=said)
rows = dict(question_rows(told))
assert rows["Price of moonlight"] == "5 USD/MWh"
assert "owls: 4" in rows["Limits"]
assert "moonlight_usd_per_mwh = 5" in study_toml(told)
assert "Price of moonlight" not in dict(question_rows(SimpleNamespace(
    study=asked.replace(moonlight_usd_per_mwh=3).to_dict(), provenance=said,
)))

# An input with fields of its own is a table of the study file, and a column for each field
more = path.read_text() + "[moon]\nphase = 'full'\n"
path.write_text(more)
asked = sd.read_study(path)
assert (asked.moon.phase, asked.moon.light_mw) == ("full", None)
path.write_text(more.replace("'full'", "'half'"))
assert [fault.where for fault in faults(lambda: sd.read_study(path))] == [f"{path} [moon] phase"]
assert dict(question_rows(SimpleNamespace(study=asked.to_dict(), provenance=said)))["Moon"] == "phase: full"
sites = read_sites([row | {"moon.light_mw": "2"}])
question = make_question(None, {"racks": 7, "uptime": 0.9, "moon": {"phase": "full"}}, sites)
assert question.study(sites.rows[0]).moon.model_dump() == {"phase": "full", "light_mw": 2}
(option,) = by_option([sd.Fault("study.moon.phase", "x", "y")])
assert option.where == "--set moon.phase", option

# Docstring and documentation
entry = (
    "moonlight_usd_per_mwh : float, optional\n"
    "    What a MWh of moonlight earns. Nobody has sold any. [USD/MWh]"
)
assert entry in inspect.getdoc(sd.Study)
assert "owls : float, optional\n    Most owls. [owls]" in inspect.getdoc(sd.Limits)
if docs.exists():
    spec = importlib.util.spec_from_file_location("plain_text", docs)
    plain_text = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain_text)
    assert entry in plain_text.written("sitedesign.study.study.Study")
print("seen everywhere")
"""


@pytest.mark.slow
def test_one_line_more_is_an_input_everywhere(tmp_path: Path) -> None:
    if not (ROOT / "models").is_dir():
        pytest.skip("needs a checkout: the package is copied with its library beside it")
    shutil.copytree(
        ROOT / "sitedesign", tmp_path / "sitedesign", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("models", "weather"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, before, line in (
        ("inputs.py", "    co2_price_usd_per_t: Annotated[", INPUT),
        ("inputs.py", "    plant_age_yr: Annotated[", TABLE),
        ("inputs.py", "class StudyInputs(Model):", MODEL),
        ("limits.py", "    land_acres: Annotated[", LIMIT),
    ):
        path = tmp_path / "sitedesign" / "study" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, line.lstrip("\n") + before), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SEEN, str(tmp_path), str(ROOT / ".docs" / "plain_text.py")],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "seen everywhere"


@pytest.mark.parametrize("model", [sd.Study, sd.Limits, sd.Grid, LoadClass, Throughput])
def test_every_input_is_declared_whole(model: type) -> None:
    """Each field is one, says what it means in sentences, and has a unit where it is a number."""
    found = declared(model)
    assert set(model.model_fields) - set(found) <= {"power_paths"}
    for name, item in found.items():
        assert item.told.title, name
        assert item.told.text.endswith("."), name
        assert item.told.group in GROUPS, name
        if item.sort in ("number", "bounds"):
            assert isinstance(item.gate, Gate), name
            assert item.unit or name == "seed", name
            assert item.default is None or not item.gate.wrong(item.default), name
