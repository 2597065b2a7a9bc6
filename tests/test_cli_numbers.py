"""Options that take a number: each says what was found and what is meant."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest
import typer

from sitedesign.cli import app, library_entries, weather_files
from sitedesign.cli.numbers import read_number
from tests.cli_runs import run

COMMANDS = [
    (("weather",) if part is weather_files.app else (), registered)
    for part in (app, weather_files.app, library_entries.app)
    for registered in part.registered_commands
]


def numeric_options() -> list[tuple[str, ...]]:
    """First numeric option of each command that has any, behind the command's words."""
    found = []
    for before, registered in COMMANDS:
        assert registered.callback is not None
        for name, hint in registered.callback.__annotations__.items():
            info = next(iter(getattr(hint, "__metadata__", ())), None)
            if info is not None and info.metavar in ("<float>", "<int>"):
                option = next(iter(info.param_decls or ()), "--" + name.replace("_", "-"))
                found.append((*before, registered.name or registered.callback.__name__, option))
                break
    return found


def test_no_number_is_read_by_the_framework() -> None:
    """Of all options and arguments that are a number, one that may be left out, or several."""
    numbers, left = 0, []
    for _, registered in COMMANDS:
        for name, hint in get_type_hints(registered.callback, include_extras=True).items():
            for info in getattr(hint, "__metadata__", ()):
                kinds = {hint.__origin__, *get_args(hint.__origin__)}
                kinds |= {kind for item in kinds for kind in get_args(item)}
                if {int, float} & kinds:
                    numbers += 1
                    left += [name] if info.parser is None else []
    assert numbers > 200
    assert left == []


@pytest.mark.parametrize("words", numeric_options(), ids=" ".join)
def test_a_command_names_a_word_that_is_no_number(words: tuple[str, ...]) -> None:
    done = run(*words, "many", code=2)
    text = " ".join(done.output.replace("│", " ").split())
    assert f"Invalid value for '{words[-1]}'" in text
    assert "got 'many'; must be a" in text
    assert "such as" in text


@pytest.mark.parametrize(
    ("word", "kind", "value"),
    [("0.999", float, 0.999), (" 1e3 ", float, 1000.0), ("-106.49", float, -106.49), ("12", int, 12)],
)
def test_numbers_are_read(word: str, kind: type[float], value: float) -> None:
    read = read_number(word, kind)
    assert read == value
    assert isinstance(read, kind)


@pytest.mark.parametrize(
    ("word", "kind", "says"),
    [
        ("99.9%", float, "For 99.9% as a share of one write 0.999."),
        ("0.1%", float, "write 0.001."),
        ("99,9", float, "a point for decimals"),
        ("120 MW", float, "no unit"),
        ("", float, "got ''"),
        ("%", float, "got '%'; must be a number, such as 0.5 or 120: a point for decimals, no unit."),
        ("7.5", int, "must be a whole number"),
        ("-1", int, "got -1; must be at least 0."),
        ("70000", int, "got 70000; must be at most 65535."),
    ],
)
def test_what_is_no_number_is_told_from_what_is(word: str, kind: type[float], says: str) -> None:
    most = 65_535 if kind is int else None
    with pytest.raises(typer.BadParameter) as raised:
        read_number(word, kind, 0, most)
    assert says in str(raised.value)
