"""The gate through which everything from outside comes: numbers, words, kinds of object, paths, calls.

A gate knows what one value may be and says what is wrong with it in the words of :class:`Fault`. Pydantic
models carry gates in their annotations (``Annotated[float, MEGAWATTS]``), functions and dataclasses name them
in :func:`takes` and :func:`check_fields`: each rule stands in one place and is told in the same words.
"""

from __future__ import annotations

import errno
import functools
import inspect
import math
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from numbers import Real
from pathlib import Path
from types import NoneType
from typing import Any, ParamSpec, TypeVar, get_args

from pydantic_core import PydanticCustomError, core_schema

from sitedesign.errors import Fault, InputError, nearest, shown

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Wrong = tuple[str, str, str]
_MOST_BYTES = 2_000_000_000  # of a file that is read whole

#: Type of pydantic's error behind which a gate's own words stand, see :mod:`sitedesign.util.validation`.
GATE = "gate"


def is_real(value: object) -> bool:
    """Whether a value is a real number, finite or not; a truth value is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_number(value: Any) -> bool:  # noqa: ANN401
    """Whether a value is a real number and finite."""
    if not is_real(value):
        return False
    try:
        return math.isfinite(float(value))
    except (OverflowError, ValueError, TypeError):
        return False


class Gate:
    """What one value may be."""

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Bring a value of another type that means the same into the usual one; never raises."""
        return value

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        raise NotImplementedError

    def faults(self, where: str, value: Any) -> list[Fault]:  # noqa: ANN401
        """Find everything that is wrong with a cleaned value."""
        wrong = self.wrong(value)
        return [] if wrong is None else [Fault(where, *wrong)]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:  # noqa: ANN401
        """Stand before pydantic's own validation of the annotated type; None passes an optional one."""
        optional = NoneType in get_args(source)

        def check(value: Any) -> Any:  # noqa: ANN401
            if value is None and optional:
                return None
            value = self.clean(value)
            wrong = self.wrong(value)
            if wrong is not None:
                found, allowed, remedy = wrong
                raise PydanticCustomError(
                    GATE, "{allowed}", {"found": found, "allowed": allowed, "remedy": remedy}
                )
            return value

        return core_schema.no_info_before_validator_function(check, handler(source))


@dataclass(frozen=True)
class Measure(Gate):
    """A finite number with its unit and its range.

    Attributes
    ----------
    unit : str
        For example ``MW``; ``fraction`` for shares.
    low, high : float
        Allowed range. [unit]
    whole : bool
        Whether only whole numbers make sense.
    above, below : bool
        Whether `low` and `high` themselves are left out.
    says : str
        What is allowed, where other words are clearer than the range; of numbers above it `high` is told.
    remedy : str
        What to do about a number that is out of range.
    percent_from : float, optional
        Of a fraction: from here up a number is meant in per cent, as text with its sign always is.
    """

    unit: str
    low: float
    high: float
    whole: bool = False
    above: bool = False
    below: bool = False
    says: str = ""
    remedy: str = ""
    percent_from: float | None = None

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Make plain numbers of those of other libraries, of 7.0 where whole, of per cent where a share."""
        if self.unit.startswith("fraction"):
            value = self._share(value)
        if not is_number(value):
            return value
        if self.whole:
            return int(value) if value == int(value) else value
        return value if type(value) in (int, float) else float(value)

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if not is_real(value):
            return shown(value), self.says or self._kind(), _unquoted(value)
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        if low and high and is_number(value) and not (self.whole and value != int(value)):
            return None
        return shown(value), self._range(value, below=not low), self._meant(value)

    def _share(self, value: Any) -> Any:  # noqa: ANN401
        """Read per cent where nothing else can be meant: with its sign, or above what any fraction is."""
        if isinstance(value, str) and value.strip().endswith("%"):
            with suppress(ValueError):
                number = float(value.strip()[:-1])
                return float(f"{number / 100:.15g}") if 0 <= number <= 100 else value
        if self.percent_from is not None and is_number(value) and self.percent_from <= value < 100:
            return float(f"{float(value) / 100:.15g}")
        return value

    def _kind(self) -> str:
        if self.whole:
            return "must be a whole number"
        return "must be a number" + (f" of {self.unit}" if self.unit != "fraction" else ", a fraction")

    def _range(self, value: Any, *, below: bool) -> str:  # noqa: ANN401
        too_high = not below and value > self.high
        if self.says:
            return f"must be at most {self.high:,.10g} {self.unit}".rstrip() if too_high else self.says
        if self.whole:
            edge = f"most {self.high:,}" if too_high else f"least {self.low:,}"
            return f"must be a whole number of at {edge}"
        span = f"{'(' if self.above else '['}{self.low:g}, {self.high:.10g}{')' if self.below else ']'}"
        return (
            f"must be a fraction in {span}" if self.unit == "fraction" else f"must be in {span} {self.unit}"
        )

    def _meant(self, value: Any) -> str:  # noqa: ANN401
        if self.percent_from is not None and 1 < value < self.percent_from:
            return f"Per cent carry their sign: '{value:.10g} %'."
        share = self.unit.startswith("fraction")
        if not self.remedy and share and 1 < value < 100 and self.low <= value / 100 <= self.high:
            return f"Did you mean {value / 100:.10g}?"
        return self.remedy


@dataclass(frozen=True)
class OrWord(Measure):
    """A number, or one word that says where the number is found.

    Attributes
    ----------
    word : str
    """

    word: str = ""

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if isinstance(value, str) and value == self.word:
            return None
        wrong = super().wrong(value)
        return None if wrong is None else (wrong[0], f"{wrong[1]}, or {self.word!r}", wrong[2])


def _unquoted(value: object) -> str:
    """Remedy for a number that was given as text."""
    if not isinstance(value, str):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    return f"Write it without quotes: {value.strip()}." if math.isfinite(number) else ""


@dataclass(frozen=True)
class Bounds(Gate):
    """One number as an upper bound, or a pair as lower and upper bound.

    Attributes
    ----------
    of : Measure
        What each of the two may be.
    pairs_only : bool
        Whether a single number is refused.
    """

    of: Measure
    pairs_only: bool = False

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Write every form as a pair."""
        if isinstance(value, list | tuple):
            return tuple(self.of.clean(item) for item in value)
        single = not self.pairs_only and is_real(value)
        return (self.of.clean(0), self.of.clean(value)) if single else value

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        numbers = "one number (the most) or a pair of numbers (least, most), in the unit of its name"
        if not isinstance(value, tuple):
            return shown(value), "must be " + ("a pair (least, most)" if self.pairs_only else numbers), ""
        if len(value) != 2:
            return shown(value), "must be a pair (least, most)", ""
        for item in value:
            wrong = self.of.wrong(item)
            if wrong is not None and not isinstance(item, Real):
                return shown(value), f"must be {numbers}", wrong[2]
            if wrong is not None and not (is_number(item) and item < 0):
                return wrong
        if not 0 <= value[0] <= value[1]:
            return shown(value), "must be (lower, upper) with 0 <= lower <= upper", ""
        return None


@dataclass(frozen=True)
class Kind(Gate):
    """An object of given types.

    Attributes
    ----------
    types : tuple of type
    says : str
        What is allowed.
    remedy : str
    """

    types: tuple[type, ...]
    says: str
    remedy: str = ""

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        return None if isinstance(value, self.types) else (shown(value), self.says, self.remedy)


@dataclass(frozen=True)
class OrNone(Gate):
    """What another gate allows, or nothing."""

    of: Gate

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Clean what is there."""
        return None if value is None else self.of.clean(value)

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        return None if value is None else self.of.wrong(value)

    def faults(self, where: str, value: Any) -> list[Fault]:  # noqa: ANN401
        """Find everything that is wrong with what is there."""
        return [] if value is None else self.of.faults(where, value)


@dataclass(frozen=True)
class Words(Gate):
    """Text of one line.

    Attributes
    ----------
    says : str
        What is allowed.
    most : int
        Characters.
    empty : bool
        Whether it may be empty.
    """

    says: str = "must be text"
    most: int = 1000
    empty: bool = True

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if not isinstance(value, str) or not (self.empty or value.strip()):
            return shown(value), self.says, ""
        if len(value) > self.most:
            return f"{len(value):,} characters", f"must be text of at most {self.most:,} characters", ""
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
            return shown(value), "must be text of one line, without control characters", ""
        return None


@dataclass(frozen=True)
class OneOf(Gate):
    """One of a few words or numbers.

    Attributes
    ----------
    known : tuple of str or int
    unit : str
        Of the numbers.
    """

    known: tuple[str | int, ...]
    unit: str = ""

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Make whole numbers of 60.0 and the like."""
        return int(value) if is_number(value) and value == int(value) else value

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if isinstance(value, str | int) and not isinstance(value, bool) and value in self.known:
            return None
        names = [item for item in self.known if isinstance(item, str)]
        if not names:
            return shown(value), f"must be one of {self.known} {self.unit}", ""
        guess = nearest(value, names) if isinstance(value, str) else ""
        return shown(value), f"must be one of {', '.join(names)}", guess


@dataclass(frozen=True)
class Day(Gate):
    """Calendar day, or text such as 2027-01-01, in a range of years."""

    first_year: int
    last_year: int

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Read text, and take the day of a moment."""
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, str):
            with suppress(ValueError):
                return date.fromisoformat(value.strip())
        return value

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if not isinstance(value, date):
            return shown(value), "must be a day", "Write it as 2027-01-01."
        if not self.first_year <= value.year <= self.last_year:
            return f"{value}", f"the year must be in [{self.first_year}, {self.last_year}]", ""
        return None


@dataclass(frozen=True)
class Many(Gate):
    """Several values, each of which another gate allows; text is no list.

    Attributes
    ----------
    of : Gate
    least, most : int
        How many.
    says : str
        What is allowed.
    """

    of: Gate
    says: str
    least: int = 0
    most: int = 100_000

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Read anything that can be counted through, but no further than is allowed."""
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            return value
        try:
            return [self.of.clean(item) for item in islice(value, self.most + 1)]
        except Exception:  # an iterator of the user's
            return value

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if not isinstance(value, list):
            return shown(value), self.says, ""
        if len(value) < self.least:
            return "nothing" if not value else shown(value), self.says, ""
        if len(value) > self.most:
            return f"more than {self.most:,}", f"must be at most {self.most:,}", ""
        return None

    def faults(self, where: str, value: Any) -> list[Fault]:  # noqa: ANN401
        """Find everything that is wrong with the list and its items."""
        found = super().faults(where, value)
        if found:
            return found
        return [fault for item in value for fault in self.of.faults(where, item)]


@dataclass(frozen=True)
class ByName(Gate):
    """Values by name, each of which another gate allows.

    Attributes
    ----------
    of : Gate
    says : str
        What is allowed.
    remedy : str
    """

    of: Gate
    says: str
    remedy: str = ""

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Clean every value."""
        if not isinstance(value, Mapping):
            return value
        return {key: self.of.clean(item) for key, item in value.items()}

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        return None if isinstance(value, dict) else (shown(value), self.says, self.remedy)

    def faults(self, where: str, value: Any) -> list[Fault]:  # noqa: ANN401
        """Find everything that is wrong with keys and values."""
        found = super().faults(where, value) or text_keys(value, where)
        if found:
            return found
        return [fault for key, item in value.items() for fault in self.of.faults(f"{where}.{key}", item)]


@dataclass(frozen=True)
class File(Gate):
    """Path of a file or folder.

    Attributes
    ----------
    endings : tuple of str
        Allowed endings, ``.json`` for example; any when empty.
    says : str
        What is allowed, where it says more than the endings.
    remedy : str
    elsewhere : tuple of (str, str)
        What writes files of another ending: ``(".xlsx", "design.to_excel")``.
    """

    endings: tuple[str, ...] = ()
    says: str = "must be the path of a file"
    remedy: str = ""
    elsewhere: tuple[tuple[str, str], ...] = ()

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Make a path of text."""
        return Path(value) if isinstance(value, str) and value.strip() and "\0" not in value else value

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if isinstance(value, str) or not isinstance(value, Path):
            found = "an empty text" if isinstance(value, str) and not value.strip() else shown(value)
            return found, self.says, self.remedy
        if "\0" in str(value):
            return shown(str(value)), self.says, self.remedy
        if any("\ud800" <= character <= "\udfff" for character in str(value)):  # bytes that are no UTF-8
            return shown(str(value)), "must be a path whose name is UTF-8", "Give the file another name."
        try:
            value.lstat()
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP):
                return shown(str(value)), self.says, f"The system says: {error.strerror}."
        except ValueError:
            return shown(str(value)), self.says, self.remedy
        if self.endings and value.suffix.lower() not in self.endings:
            endings, other = " or ".join(self.endings), dict(self.elsewhere).get(value.suffix.lower())
            remedy = f"Try {value.stem or 'file'}{self.endings[0]}."
            if other is not None:
                remedy = f"{other}({shown(str(value))}) writes that."
            return shown(str(value)), f"must end in {endings}", remedy
        return None


FLAG = Kind((bool,), "must be True or False")
CALL = Kind((Callable,), "must be a function that takes one line of text")  # type: ignore[arg-type]
TEXT = Words()


def takes(
    of: str, *, also: Callable[[Mapping[str, Any]], list[Fault]] | None = None, **gates: Gate
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Check a call before anything else is done: its arguments against gates, all faults at once.

    Parameters
    ----------
    of : str
        What is called, for the message.
    also : callable, optional
        Finds faults of the arguments that have no gate, when those that have one are faulty: so that the
        caller is told of all.
    **gates
        Gate of each parameter; the function receives the cleaned value.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        plain = _Plain.of(signature)
        defaults = {name: item.default for name, item in signature.parameters.items()}
        rest = next((n for n, item in signature.parameters.items() if item.kind is item.VAR_POSITIONAL), None)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            given: Any = None if plain is None else plain.by_name(args, kwargs)
            bound = None
            if given is None:
                try:
                    bound = signature.bind(*args, **kwargs)
                except TypeError as error:
                    raise InputError([_misfit(signature, args, kwargs, error)], of) from None
                given = bound.arguments
            faults: list[Fault] = []
            for name, gate in gates.items():
                if name in given:
                    value = given[name]
                    if value is defaults[name]:
                        continue
                    if name == rest:
                        value = tuple(gate.clean(item) for item in value)
                        faults += [fault for item in value for fault in gate.faults(name, item)]
                    else:
                        value = gate.clean(value)
                        faults += gate.faults(name, value)
                    given[name] = value
            if faults:
                raise InputError([*faults, *(also(given) if also else [])], of)
            if bound is None:
                return function(**given)  # type: ignore[call-arg]
            return function(*bound.args, **bound.kwargs)

        return checked

    return decorate


@dataclass(frozen=True)
class _Plain:
    """Parameters of a function each of which takes one argument, by place or by name.

    What fits them need not be bound as Python does it, which takes ten times as long.
    """

    places: tuple[str, ...]
    names: frozenset[str]
    needed: frozenset[str]

    @staticmethod
    def of(signature: inspect.Signature) -> _Plain | None:
        """Parameters of a signature; None where one takes any number of arguments, or none by its name."""
        items = signature.parameters.values()
        by_place = inspect.Parameter.POSITIONAL_OR_KEYWORD
        if any(item.kind not in (by_place, inspect.Parameter.KEYWORD_ONLY) for item in items):
            return None
        return _Plain(
            tuple(item.name for item in items if item.kind is by_place),
            frozenset(signature.parameters),
            frozenset(item.name for item in items if item.default is item.empty),
        )

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Arguments by name; None where they do not fit."""
        given = dict(zip(self.places, args, strict=False))
        if len(args) > len(given) or not kwargs.keys() <= self.names or not given.keys().isdisjoint(kwargs):
            return None
        given.update(kwargs)
        return given if self.needed <= given.keys() else None


def arguments(of: str) -> Callable[[type[T]], type[T]]:
    """Tell in our words of arguments that a dataclass does not have."""

    def decorate(cls: type[T]) -> type[T]:
        cls.__init__ = takes(of)(cls.__init__)  # type: ignore[method-assign]
        return cls

    return decorate


def _misfit(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any], error: TypeError
) -> Fault:
    """Say why arguments do not fit a function."""
    others = inspect.Parameter.VAR_KEYWORD  # fields of something else, which tells of them itself
    named = [item for item in signature.parameters.values() if item.kind is not others]
    names = [item.name for item in named if item.name not in ("self", "cls")]
    unknown = next((name for name in kwargs if name not in names), None)
    if unknown is not None:
        return Fault(unknown, "an unknown argument", f"known are {', '.join(names)}", nearest(unknown, names))
    missing = error.args[0].partition("missing a required")[2] if error.args else ""
    if missing:
        name = missing.partition("'")[2].rpartition("'")[0]
        return Fault(name, "nothing", "is needed")
    places = [
        item.name
        for item in signature.parameters.values()
        if item.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        and item.name not in ("self", "cls")
    ]
    before = f"only {', '.join(places)} may stand without a name" if places else "each needs its name"
    return Fault("arguments", f"{len(args)} without names", before, f"Known names are {', '.join(names)}.")


def check_fields(of: str, holder: object, **gates: Gate) -> None:
    """Check the fields of a frozen dataclass against gates and keep the cleaned values.

    Raises
    ------
    InputError
        With every fault.
    """
    faults: list[Fault] = []
    for name, gate in gates.items():
        value = gate.clean(getattr(holder, name))
        faults += gate.faults(name, value)
        object.__setattr__(holder, name, value)
    if faults:
        raise InputError(faults, of)


def unnamed(given: tuple[Any, ...], where: str, example: str) -> list[Fault]:
    """Fault of values that were given without their names to something that takes names only."""
    if not given:
        return []
    values = ", ".join(shown(item) for item in given[:3])
    return [Fault(where, f"{values} without names", "each needs its name", f"Write {example}.")]


def text_keys(data: Mapping[Any, Any], where: str) -> list[Fault]:
    """Faults of keys that are no text."""
    return [
        Fault(where, f"the key {shown(key)}", "must be the name of a field")
        for key in data
        if not isinstance(key, str)
    ]


def read_bytes(
    path: Path, where: str, allowed: str, remedy: str = "", *, of: str, missing: str = "no such file"
) -> bytes:
    """Read a file whole, whatever the system has against it.

    Parameters
    ----------
    path : Path
    where, allowed, remedy, of : str
        Of the fault.
    missing : str
        What to say of a file that is not there.

    Raises
    ------
    InputError
        If it is not there, a folder, or cannot be read.
    """
    try:
        size = path.stat().st_size
        if path.exists() and not (path.is_file() or path.is_dir()):
            found = "a device or pipe, which has no end"
        elif size > _MOST_BYTES:
            found = f"a file of {size / 1e9:,.1f} GB, more than {_MOST_BYTES / 1e9:.0f} GB"
        else:
            return path.read_bytes()
    except FileNotFoundError:
        found = missing
    except (OSError, ValueError) as error:
        found = f"no file that can be read ({getattr(error, 'strerror', None) or error})"
    raise InputError([Fault(where, found, allowed, remedy)], of) from None


def parse_toml(content: bytes, where: str, quotes: str = "") -> dict[str, Any]:
    """Read TOML, whatever stands in the file.

    Parameters
    ----------
    content : bytes
    where : str
        Name of the file, for the message.
    quotes : str
        Remedy for text without quotes, the usual slip.

    Raises
    ------
    InputError
        If it is not TOML; the message names line and column.
    """
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        found = "bytes that are not UTF-8 text"
    except RecursionError:
        found = "brackets in brackets without end"
    except ValueError as error:  # not TOML, or an integer of thousands of digits
        found = f"text that is not TOML ({shown(str(error)).strip(chr(39))})"
    remedy = quotes if "Invalid" in found else ""
    raise InputError([Fault(where, found, "must be a TOML file", remedy)], where) from None
