"""One language for figures: per cent, intervals, counts and titles as people write them."""

from __future__ import annotations

import math

MOST_DIGITS = 6
_TWO_SIDED = 1.96  # standard errors on either side of a mean over many years, at 95 %


def percent(fraction: float, *, down: bool = False, space: str = " ") -> str:
    """Write a share in per cent with two digits of what is missing: 0.99934 becomes ``99.934 %``.

    Parameters
    ----------
    fraction : float
        [fraction]
    down : bool
        Whether to round down, for what is promised.
    space : str
        Between number and sign.
    """
    if math.isnan(fraction):
        return "unknown"
    missing = (1 - fraction) * 100
    if missing <= 0:
        return f"100{space}%"
    digits = min(MOST_DIGITS, max(1, 1 - math.floor(math.log10(missing)))) if missing < 10 else 1
    value = fraction * 100
    if down:
        value = math.floor(value * 10**digits * (1 + 1e-15)) / 10**digits
    return f"{value:.{digits}f}{space}%"


def with_interval(value: float, error: float | None, digits: int, *, signed: bool = False) -> str:
    """Write a figure with its two-sided interval at 95 %: ``-1.20 (-1.35 to -1.05)``.

    Parameters
    ----------
    value, error : float and float or None
        And its standard error; None or nan where none is known.
    digits : int
        Behind the point.
    signed : bool
        Whether a plus is written, as of a change.
    """
    look = f"{'+' if signed else ''}z,.{digits}f"  # nothing has no sign of its own
    if error is None or math.isnan(error):
        return f"{value:{look}}"
    return f"{value:{look}} ({value - _TWO_SIDED * error:{look}} to {value + _TWO_SIDED * error:{look}})"


def target(fraction: float) -> str:
    """Write a share that was given as it was given: 0.999 becomes ``99.9 %``."""
    return f"{fraction * 100:.10g} %"


def share(fraction: float) -> str:
    """Write a share of something in whole per cent, a small one with a digit more."""
    value = fraction * 100
    digits = 0 if abs(value) >= 10 or abs(value) < 1e-9 else 1
    return f"{value:.{digits}f} %"


def count(number: int, what: str) -> str:
    """Write a count with its word: ``1 site``, ``2 sites``."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def in_sentence(title: str) -> str:
    """Title as it stands inside a sentence: its first letter small unless a name or an acronym."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def listed(words: list[str]) -> str:
    """Words as a list: ``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
