"""Writes ``models/README.md``, the equation sheet: every equation, every number, every source.

``python -m sitedesign.equations.sheet`` rewrites the file; a test fails when it is out of date.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sitedesign.equations import REGISTRY, SYMBOLS
from sitedesign.library.files import KINDS, entry, library_folder, names
from sitedesign.library.number import CONFIDENCE, STATUS, Entry
from sitedesign.library.tables import format_value

_HEAD = """# Equation sheet

<!-- Written by `python -m sitedesign.equations.sheet` from the code and this folder's files. Do not edit. -->

What the optimiser solves, and the numbers it is given. Each equation has one name: that of the Python
function, of the Pyomo component, of the rows in an LP file and of the golden file in `tests/golden/`. Each
number stands in `models/<kind>/<name>.toml` with value, unit, year, source, status, confidence and, where it
helps, a range worth a sensitivity run and a note. A file that `extends` another holds only what differs.

A file of your own amends the library:

```toml
kind = "battery"
extends = "lfp"
title = "LFP at the price of my quote"

[capex_usd_per_kwh]
value = 142
unit = "USD/kWh"
source = "Vendor quote, 2026-03-02"
```

`sitedesign.library.load("my_battery.toml")` reads it, and its path can stand wherever a library name can."""


def sheet() -> str:
    """Compose the whole sheet.

    Returns
    -------
    str
        Markdown, ending in a newline.
    """
    sources = _Sources()
    numbers = [section for kind in KINDS for section in _kind_section(kind, sources)]
    reviewed = (library_folder("models") / "figures_reviewed.md").read_text(encoding="utf-8").strip()
    parts = [_HEAD, *_equations(), "## Numbers", _legend(), reviewed, *numbers]
    parts += ["## Sources", sources.listing()]
    return "\n\n".join(parts) + "\n"


class _Sources:
    """Numbers the sources in the order in which they are first cited."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}

    def key(self, source: str) -> str:
        return f"[{self._keys.setdefault(source, len(self._keys) + 1)}]"

    def listing(self) -> str:
        return "\n".join(f"{number}. {_cell(source)}" for source, number in self._keys.items())


def _equations() -> list[str]:
    rows = [
        (f"${item.latex}$", f"`{item.name}`", item.unit or "-", ", ".join(item.over) or "-", item.doc)
        for item in SYMBOLS
    ]
    parts = [
        "## Equations",
        "Power is MW, energy MWh, money million USD a year. Sets are named as in the code. λ is 1; where "
        "many blocks stand in one master and it is decided as well, the share of the load that is there.",
        _table(("symbol", "name", "unit", "over", "meaning"), rows),
    ]
    for item in sorted(REGISTRY.values(), key=lambda each: (each.number[0], int(each.number[1:]))):
        over = f", for each {', '.join(item.over)}" if item.over else ""
        kind = " (objective)" if item.kind == "objective" else ""
        text = " ".join(item.doc.split())
        parts.append(f"**{item.number}** `{item.name}`{kind}{over}. {text}\n\n```math\n{item.latex}\n```")
    return parts


def _legend() -> str:
    confidence = ", ".join(f"{key} {text}" for key, text in CONFIDENCE.items() if key != "user")
    status = ", ".join(f"{key} {text}" for key, text in STATUS.items() if key != "user")
    return (
        f"Behind each value: its confidence ({confidence}) and its source below. The files also say how the "
        f"source was read: {status}."
    )


def _kind_section(kind: str, sources: _Sources) -> list[str]:
    """Return heading, meaning and two tables: numbers shared by all entries, numbers that differ."""
    found = [entry(kind, name) for name in names(kind)]
    cls = KINDS[kind]
    about = [f"- `{item.name}`: {item.title}{_words(item)}" for item in found]
    parts = [f"### {kind}", inspect.cleandoc(cls.__doc__ or ""), "\n".join(about)]
    shared, different = [], []
    for field, number in cls.numbers().items():
        cells = [_number_cell(item, field, sources) for item in found]
        idle = all(item.sources[field].used_by for item in found)
        meaning = number.meaning + (" (used by: nothing yet)" if idle else "")
        label = (f"`{field}`", number.unit, meaning)
        if len(set(cells)) == 1:
            shared.append((*label, cells[0]))
        else:
            different.append((*label, *cells))
    if different:
        parts.append(_table(("number", "unit", "meaning", *(item.name for item in found)), different))
    if shared:
        parts.append(
            _table(("number", "unit", "meaning", "all" if len(found) > 1 else found[0].name), shared)
        )
    return parts


def _words(item: Entry) -> str:
    words = [f"{word} {getattr(item, word)}" for word in item.words()]
    return f" ({', '.join(words)})" if words else ""


def _number_cell(item: Entry, field: str, sources: _Sources) -> str:
    quantity = item.sources[field]
    value = format_value(getattr(item, field))
    if value == "none":
        return "none"
    return f"{value} {quantity.confidence} {sources.key(quantity.source)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(arguments: Sequence[str]) -> int:
    """Write the sheet to the path given, by default to ``models/README.md``."""
    path = Path(arguments[0]) if arguments else library_folder("models") / "README.md"
    path.write_text(sheet(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
