"""Examples in docstrings and in the README say what is true."""

from __future__ import annotations

import ast
import doctest
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import sitedesign as sd

ROOT = Path(__file__).resolve().parent.parent
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "sitedesign").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
PROSE = ("README.md", "weather/README.md")
BLOCKS = [
    block
    for name in PROSE
    for block in re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What examples speak of without making it each time: a small study of one year, and what is built."""
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    study = sd.Study(site=site, it_mw=2, uptime=0.97, backup="recip_fast", weather_years=1)
    places = [("El Paso", 31.76, -106.49), ("Amarillo", 35.2, -101.95)]
    return {
        "sd": sd,
        "site": site,
        "study": study,
        "plant": {
            "solar_mw": 6,
            "battery_mwh": 10,
            "battery_mw": 2,
            "backup": {"recip_fast": 1},
            "racks": 16,
        },
        "sites": [{"name": name, "latitude": north, "longitude": east} for name, north, east in places],
        "design": sd.solve(study, certify=False),
        "with_battery": sd.solve(study.replace(backup=[]), certify=False),
        "with_tank": sd.solve(study.replace(backup="diesel"), certify=False),
    }


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings(name: str, names: dict[str, Any]) -> None:
    done = doctest.testmod(import_module(name), extraglobs=names)
    assert done.attempted > 0
    assert done.failed == 0


@pytest.mark.parametrize("name", sorted(set(sd.__all__) - {"__version__", "errors", "library"}))
def test_every_public_name_has_an_example(name: str) -> None:
    assert ">>> " in (getattr(sd, name).__doc__ or "")


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_python_in_prose_names_what_exists(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sd":
            assert hasattr(sd, node.attr), f"sd.{node.attr}"


def test_the_readme_holds_both_commands_that_do_all_the_set_up() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = "pip install . && sitedesign solve --lat 31.76 --lon -106.49 --racks 700 --uptime 0.999"
    assert f"```sh\n{first}\n```" in text
    assert '```sh\npip install -e ".[test]" && pytest\n```' in text
