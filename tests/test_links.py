"""Links within the repository lead somewhere; workflows/docs.yml tries those to other sites every week."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("*.md", "models/*.md", "weather/*.md", ".docs/pages/**/*.md", "notebooks/*.ipynb")
PAGES = sorted(path for place in PLACES for path in ROOT.glob(place))
_MADE = ("tutorials/", "planner.md", "commands.md", "gallery.md")  # by .docs/generated.py


def links(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    for link in links(path):
        target, _, anchor = link.partition("#")
        if re.match(r"(https?|mailto):", target) or (".docs" in path.parts and target.startswith(_MADE)):
            continue
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_there_are_links_to_check():
    assert sum(len(links(path)) for path in PAGES) > 40
