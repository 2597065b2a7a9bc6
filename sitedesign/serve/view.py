"""What the page shows of a finished run, whatever it was: words, figures and tables, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sitedesign.report.content import KeyFigure, figures_in
from sitedesign.util.display_units import System, text_in

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Table:
    """Rows under a heading; the first row names the columns where `headed`."""

    title: str
    rows: list[list[str]]
    headed: bool = False


@dataclass(frozen=True)
class View:
    """A finished run as it is shown.

    Attributes
    ----------
    summary : str
        One line in the list of runs.
    verdict : (str, str)
        ``good``, ``bad`` or ``bound``, and what the reader must know first.
    facts : list of list of KeyFigure
        Rows of figures, the answer in the first.
    figures : mapping of str to dict
        Plotly JSON in light colours, by name.
    tables : list of Table
    files : mapping of str to str
        Names of files to save, and what the link says.
    page : str
        File of a whole page that is shown in a frame, such as a map; may be empty.
    money : str
        In which money and of when amounts are.
    """

    summary: str
    verdict: tuple[str, str]
    facts: list[list[KeyFigure]]
    figures: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    files: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    money: str = ""

    def in_units(self, units: System | None) -> View:
        """Give it in the units of a system."""
        kind, said = self.verdict
        return replace(
            self,
            verdict=(kind, text_in(said, units)),
            facts=[figures_in(row, units) for row in self.facts],
            tables=[
                replace(one, rows=[[text_in(cell, units) for cell in row] for row in one.rows])
                for one in self.tables
            ],
        )

    def to_json(self) -> str:
        """Write it down."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> View:
        """Read what :meth:`to_json` wrote."""
        data = json.loads(text)
        data["verdict"] = tuple(data["verdict"])
        data["facts"] = [[KeyFigure(**one) for one in row] for row in data["facts"]]
        data["tables"] = [Table(**one) for one in data["tables"]]
        return cls(**data)


def as_json(shown: Mapping[str, Figure]) -> dict[str, Any]:
    """Write figures as plotly JSON."""
    return {name: json.loads(figure.to_json()) for name, figure in shown.items()}
