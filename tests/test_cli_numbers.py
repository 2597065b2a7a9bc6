"""Options that take a number: each says what was found and what is meant."""

from __future__ import annotations

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


def test_most_commands_take_numbers() -> None:
    assert len(numeric_options()) > 12


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
