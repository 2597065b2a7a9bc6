"""Options that take a number: what is wrong with a word that is none, in words of our own.

The framework's words say neither what was found nor what would do, and change with its version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import typer

_MEANT = {
    float: "a number, such as 0.5 or 120: a point for decimals, no unit",
    int: "a whole number, such as 12: no point and no unit",
}


def read_numbers_of(application: typer.Typer) -> None:
    """Have the commands of an application read what takes a number by :func:`read_number`.

    Parameters
    ----------
    application : typer.Typer
        Whose commands are registered; what ``typer.Option`` or ``typer.Argument`` say of them is amended.
    """
    for registered in application.registered_commands:
        assert registered.callback is not None
        _read_numbers(registered.callback)


def _read_numbers(command: Callable[..., Any]) -> None:
    hints = get_type_hints(command, include_extras=True)
    for hint in hints.values():
        for info in getattr(hint, "__metadata__", ()):
            kind = _kind_of(hint.__origin__)
            if kind is not None and info.parser is None:
                info.metavar = info.metavar or f"<{kind.__name__}>"
                info.parser = _reader(kind, info.min, info.max)
    command.__annotations__ = hints  # as text they would be read anew, without what was amended


def _kind_of(said: Any) -> type[float] | None:  # noqa: ANN401
    """Give the kind of number of ``int``, ``int | None`` or ``list[int] | None``; None for anything else."""
    if said in _MEANT:
        return said  # type: ignore[no-any-return]
    inside = get_args(said)
    return _kind_of(inside[0]) if inside else None


def _reader(kind: type[float], least: float | None, most: float | None) -> Callable[[Any], float]:
    """Give a function of the word alone, with a name, as the framework wants it."""

    def reads(word: Any) -> float:  # noqa: ANN401
        return read_number(word, kind, least, most)

    return reads


def read_number(
    word: str | float, kind: type[float], least: float | None = None, most: float | None = None
) -> float:
    """Read a number of the command line.

    Parameters
    ----------
    word : str or float
    kind : type
        ``float`` or ``int``.
    least, most : float, optional
        That the command allows.

    Returns
    -------
    float or int

    Raises
    ------
    typer.BadParameter
        With what was found and what is meant.
    """
    text, fault = str(word).strip(), ""
    try:
        value = kind(text)
    except ValueError:
        fault = f"got {text!r}; must be {_MEANT[kind]}.{_remedy(text)}"
        raise typer.BadParameter(fault) from None
    if least is not None and value < least:
        fault = f"got {text}; must be at least {least:g}."
    if most is not None and value > most:
        fault = f"got {text}; must be at most {most:g}."
    if fault:
        raise typer.BadParameter(fault)
    return value


def _remedy(text: str) -> str:
    """Say what to write for a percentage."""
    try:
        percent = float(text.removesuffix("%")) if text.endswith("%") else None
    except ValueError:
        return ""
    return "" if percent is None else f" For {text} as a share of one write {percent / 100:.10g}."
