"""A figure from a sample never travels without its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import gammaincinv, stdtrit

from sitedesign.util.gate import TEXT, Measure, takes

NO_ERROR_KNOWN = "one weather year: no error known"


_ROUNDING = 1e-12  # a narrower interval comes from sums of the same number
_CONFIDENCE = Measure("fraction", 0, 1, above=True, below=True)
_SCALE = Measure("", 0, math.inf, above=True, below=True, says="must be above 0: 100 for per cent")


@dataclass(frozen=True)
class Estimate:
    """A mean over sampled weather years, with its standard error.

    Attributes
    ----------
    value : float
        The point estimate.
    standard_error : float
        Never negative; nan when the sample is one weather year, from which no error can be known.
    samples : int
        Independent samples behind the value: weather years.
    seed : int
        Seed of the bootstrap (and of the outages, for a certificate).
    loss_free_value : float or None
        The value when nothing is ever lost: positive for an uptime (which falls with every loss), 0 for a
        loss itself; None for a quantity that is not made of rare losses.
    largest_contribution : float
        Largest share of the loss that one weather year contributes; when no loss was seen, what one event not
        seen would have contributed. Same unit as `value`.

    Notes
    -----
    With `loss_free_value` given, bounds follow Fay and Feuer (1997, Statistics in Medicine 16:791, gamma
    intervals for weighted sums of Poisson counts): exact for counts, conservative for few events, normal for
    many. Without any event they reduce to the rule of three,
    ``-ln(1 - confidence) * largest_contribution``. The wider of that and Student's t with ``samples - 1``
    degrees of freedom is used: few weather years estimate their own spread badly.

    Examples
    --------
    >>> uptime = sd.Estimate(value=0.9991, standard_error=1e-4, samples=200, seed=0)
    >>> round(uptime.lower_bound(0.95), 4)
    0.9989
    """

    value: float
    standard_error: float
    samples: int
    seed: int
    loss_free_value: float | None = None
    largest_contribution: float = 0.0

    def __post_init__(self) -> None:
        if self.standard_error < 0:
            message = f"standard_error: got {self.standard_error}; must be 0 or more, or nan when unknown"
            raise ValueError(message)
        if self.samples < 1:
            message = f"samples: got {self.samples}; must be 1 or more"
            raise ValueError(message)

    @property
    def error_known(self) -> bool:
        """False for one weather year."""
        return not math.isnan(self.standard_error)

    @property
    def no_event_seen(self) -> bool:
        """True when no loss at all was seen, so that the bounds rest on the rule of three."""
        return self.loss_free_value is not None and self.value == self.loss_free_value

    @takes("lower_bound()", confidence=_CONFIDENCE)
    def lower_bound(self, confidence: float = 0.95) -> float:
        """One-sided lower bound; nan when the error is unknown.

        Parameters
        ----------
        confidence : float
            In (0.5, 1). [fraction]
        """
        return self._bound(confidence, downwards=True)

    @takes("upper_bound()", confidence=_CONFIDENCE)
    def upper_bound(self, confidence: float = 0.95) -> float:
        """One-sided upper bound; nan when the error is unknown.

        Parameters
        ----------
        confidence : float
            In (0.5, 1). [fraction]
        """
        return self._bound(confidence, downwards=False)

    @takes("half_width()", confidence=_CONFIDENCE)
    def half_width(self, confidence: float = 0.95) -> float:
        """Half of the two-sided interval."""
        tail = 0.5 * (1.0 + confidence)
        return 0.5 * (self.upper_bound(tail) - self.lower_bound(tail))

    @takes("met()", target=Measure("fraction", -1e9, 1e9), confidence=_CONFIDENCE)
    def met(self, target: float, confidence: float = 0.95) -> bool:
        """Whether the value clears a least target at the one-sided confidence; False when unknown."""
        return self.lower_bound(confidence) >= target

    def _bound(self, confidence: float, *, downwards: bool) -> float:
        if not self.error_known:
            return math.nan
        sign = -1.0 if downwards else 1.0
        student = 0.0
        if self.samples > 1 and self.standard_error > 0:
            student = float(stdtrit(self.samples - 1, confidence)) * self.standard_error
        if self.loss_free_value is None:
            return self.value + sign * student
        is_uptime = self.loss_free_value > 0
        loss = self.loss_free_value - self.value if is_uptime else self.value
        if downwards == is_uptime:
            bound = max(
                loss + student, _gamma_upper(loss, self.standard_error, self.largest_contribution, confidence)
            )
        else:
            bound = _gamma_lower(loss, self.standard_error, confidence)
        return max(self.loss_free_value - bound, 0.0) if is_uptime else bound

    @takes("Estimate.text()", scale=_SCALE, unit=TEXT)
    def text(self, scale: float = 1.0, unit: str = "") -> str:
        """Write the value with its two-sided interval at 95 %: ``99.967 % (99.954 to 99.976)``.

        Parameters
        ----------
        scale : float
            What to multiply by, 100 for per cent.
        unit : str
            Behind the value.
        """
        if not self.error_known:
            return f"{self.value * scale:.6g}{unit} ({NO_ERROR_KNOWN})"
        low, high = self.lower_bound(0.975) * scale, self.upper_bound(0.975) * scale
        if self.no_event_seen:
            edge = f"at least {low:.6g}" if self.value > 0 else f"at most {high:.2g}"
            return f"{self.value * scale:.6g}{unit} (no loss seen; {edge})"
        width = high - low
        if width <= _ROUNDING * abs(self.value * scale) or width <= 0:
            return f"{self.value * scale:.6g}{unit}"
        digits = max(0, 2 - math.ceil(math.log10(0.5 * width)))
        ends = f"({low:,.{digits}f} to {high:,.{digits}f})"
        return f"{self.value * scale:,.{digits}f}{unit} {ends}"

    def __str__(self) -> str:
        """Value and two-sided interval at 95 %."""
        return self.text()


def _gamma_upper(loss: float, error: float, largest_contribution: float, confidence: float) -> float:
    """Fay-Feuer upper limit of a weighted Poisson sum with one more event of the largest weight."""
    mean, variance = loss + largest_contribution, error**2 * (loss > 0) + largest_contribution**2
    if mean <= 0 or variance <= 0:
        return loss
    return float(variance / (2 * mean) * _chi2_quantile(confidence, 2 * mean**2 / variance))


def _gamma_lower(loss: float, error: float, confidence: float) -> float:
    if loss <= 0 or error <= 0:
        return loss
    return float(error**2 / (2 * loss) * _chi2_quantile(1 - confidence, 2 * loss**2 / error**2))


def _chi2_quantile(chance: float, freedom: float) -> float:
    """As scipy.stats says it, which takes half a second to load."""
    return 2.0 * float(gammaincinv(freedom / 2, chance))
