"""Examples in docstrings and in the README say what is true."""

from __future__ import annotations

import ast
import doctest
import re
from importlib import import_module
from pathlib import Path

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


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings(name: str) -> None:
    done = doctest.testmod(import_module(name))
    assert done.attempted > 0
    assert done.failed == 0


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
