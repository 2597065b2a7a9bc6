"""What may be deducted of an asset's cost, year by year of its service (IRS Publication 946, appendix A)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
RecoveryClass = Literal["macrs_5", "macrs_7", "macrs_15", "macrs_20", "line_15", "line_20", "line_39", "none"]

#: Half-year convention, 200 % (5 and 7 years) and 150 % (15 and 20) declining balance: table A-1. [per cent]
_MACRS = {
    "macrs_5": (20.0, 32.0, 19.2, 11.52, 11.52, 5.76),
    "macrs_7": (14.29, 24.49, 17.49, 12.49, 8.93, 8.92, 8.93, 4.46),
    "macrs_15": (
        5.0, 9.5, 8.55, 7.7, 6.93, 6.23, 5.9, 5.9, 5.91, 5.9, 5.91, 5.9, 5.91, 5.9, 5.91, 2.95,
    ),
    "macrs_20": (
        3.75, 7.219, 6.677, 6.177, 5.713, 5.285, 4.888, 4.522, 4.462, 4.461,
        4.462, 4.461, 4.462, 4.461, 4.462, 4.461, 4.462, 4.461, 4.462, 4.461, 2.231,
    ),
}  # fmt: skip
_LINES = {"line_15": 15, "line_20": 20, "line_39": 39}  # straight line, half a year in the first

#: By what is bought; all else is plant of 15 years, as generators and grid connections are (Publication 946,
#: asset classes 48.12 and 49.15; five years for solar, wind and storage under 26 USC 168(e)(3)(B)(vi) is for
#: counsel where construction begins after 2024).
_CLASSES: dict[str, RecoveryClass] = {
    "solar": "macrs_5",
    "battery": "macrs_5",
    "racks": "macrs_5",
    "hall": "line_39",
}


def recovery_class(asset: str) -> RecoveryClass:
    """Class of depreciation of an asset by its name in the cost table."""
    return _CLASSES.get(asset, "macrs_15")


def deductions(recovery: RecoveryClass | tuple[float, ...], years: int, bonus: float = 0.0) -> FloatArray:
    """Share of the depreciable basis that each year deducts.

    Parameters
    ----------
    recovery : str or tuple of float
        Class of the asset, ``none`` for land; or shares of one's own.
    years : int
        Length of the result.
    bonus : float
        Share of the basis deducted at once in the first year. [fraction]

    Returns
    -------
    ndarray, shape (years,)
        Years of service, the first first. [fraction]
    """
    shares = np.zeros(years)
    if recovery == "none":
        return shares
    if not isinstance(recovery, str):
        whole = np.array(recovery)
    elif recovery in _LINES:
        life = _LINES[recovery]
        whole = np.full(life + 1, 1.0 / life)
        whole[[0, -1]] /= 2
    else:
        whole = np.array(_MACRS[recovery]) / 100
    some = (1.0 - bonus) * whole[:years]
    shares[: some.size] = some
    shares[0] += bonus
    return shares
