"""Facts as (label, text) below a heading, shown alike in terminals of any width and in notebooks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from sitedesign.util.html_table import table_html

WIDTH = 110
#: Below it labels stand above their texts.
NARROW = 60
_LABELLED = re.compile(r"( *\S+(?: \S+)*  +)(\S.*)")


@dataclass(frozen=True, repr=False)
class Facts:
    """A heading and its facts.

    Attributes
    ----------
    head : str
    rows : tuple of (str, str)
        Label and text.
    """

    head: str
    rows: tuple[tuple[str, str], ...]

    def text(self, width: int = WIDTH) -> str:
        """Write for a terminal of this many columns; nothing is cut, a narrow one has labels above texts.

        Parameters
        ----------
        width : int
            [columns]
        """
        room = max([len(label) for label, _ in self.rows], default=0) + 2
        lines = _wrapped(self.head, width, "", "")
        for label, text in self.rows:
            if width < NARROW:
                lines += [*_wrapped(label, width, "", "  "), *_wrapped(text, width, "  ", "  ")]
            else:
                lines += _wrapped(text, width, f"  {label:<{room}}", " " * (room + 2))
        return "\n".join(lines)

    def __str__(self) -> str:
        """Text of the usual width."""
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table_html(self.head, self.rows)

    def without(self, *labels: str) -> Facts:
        """Give the facts but some."""
        return Facts(self.head, tuple(row for row in self.rows if row[0] not in labels))


def reflowed(text: str, width: int) -> str:
    """Wrap lines that are too long for a terminal; those of a label, blanks and a text as facts are.

    Parameters
    ----------
    text : str
    width : int
        [columns]
    """
    lines: list[str] = []
    for line in text.splitlines():
        found = _LABELLED.match(line)
        if len(line) <= width:
            lines.append(line)
        elif found is None:
            lines += _wrapped(line, width, "", "  ")
        elif width < NARROW:
            lines += [found[1].rstrip(), *_wrapped(found[2], width, "    ", "    ")]
        else:
            lines += _wrapped(found[2], width, found[1], " " * len(found[1]))
    return "\n".join(lines)


def _wrapped(text: str, width: int, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def facts(head: str, rows: Sequence[tuple[str, str]]) -> Facts:
    """Make facts of rows, without those that say nothing."""
    return Facts(head, tuple((label, text) for label, text in rows if text))
