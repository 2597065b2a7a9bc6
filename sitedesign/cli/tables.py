"""Tables in a terminal: columns side by side where they fit, one below the other where they do not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

_GAP = "  "


def table_text(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: Collection[int] = (),
    width: int | None = None,
    title: int = 0,
) -> str:
    """Write a table; where it is wider than the screen, every row becomes a paragraph and no number is cut.

    Parameters
    ----------
    heads : sequence of str
        Headings, with line breaks where they may be narrower.
    rows : sequence of sequence of str
    left : collection of int
        Columns of words, which begin at the left.
    width : int, optional
        Of the screen; None where nobody looks, as in a file.
    title : int
        Column that names the row where columns are stacked; those before it stand before the name.

    Returns
    -------
    str
    """
    lines = [head.split("\n") for head in heads]
    high = max(len(parts) for parts in lines)
    top = [["", *[""] * (high - len(parts) - 1), *parts][-high:] for parts in lines]
    above = [[column[line] for column in top] for line in range(high)]
    widths = [max(len(row[number]) for row in [*above, *rows]) for number in range(len(heads))]
    if width is not None and sum(widths) + len(_GAP) * (len(heads) - 1) > width:
        return _stacked(heads, rows, title)
    return "\n".join(
        _GAP.join(
            cell.ljust(wide) if number in left else cell.rjust(wide)
            for number, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [*above, *rows]
    )


def _stacked(heads: Sequence[str], rows: Sequence[Sequence[str]], title: int) -> str:
    names = [head.replace("-\n", "").replace("\n", " ") for head in heads]
    wide = max((len(name) for name in names[title + 1 :]), default=0)
    paragraphs = []
    for row in rows:
        head = " ".join(cell for cell in row[:title] if cell) + (" " if title else "")
        named = f"{head}{row[title]}" if title else f"{names[0]} {row[0]}"
        cells = zip(names[title + 1 :], row[title + 1 :], strict=True)
        paragraphs.append("\n".join([named, *(f"  {name.ljust(wide)}  {cell}" for name, cell in cells)]))
    return "\n\n".join(paragraphs)
