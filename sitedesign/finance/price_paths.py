"""How the price of what is sold goes over the years, over that of year 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitedesign.finance.terms import Path
from sitedesign.library import Finance

FloatArray = NDArray[np.float64]


def price_path(
    path: Path, years: int, generation_yr: float, finance: Finance, rise: float = 0.0
) -> FloatArray:
    """Give the price of each year over that of year 1.

    Rents of GPUs fall as newer ones come; with new racks the path begins again.

    Parameters
    ----------
    path : {"flat", "falling", "v"}
    years : int
    generation_yr : float
        Years after which racks are bought again. [yr]
    finance : Finance
        Holder of the rates.
    rise : float
        Of all prices on top. [fraction/yr]

    Returns
    -------
    ndarray, shape (years,)
        [fraction]
    """
    year = np.arange(years, dtype=np.float64)
    # A generation that is bought in the course of a year earns its rent from the next year on
    of_generation = year - np.floor(year / generation_yr + 1e-9) * generation_yr
    of_generation = np.floor(of_generation + 1e-9)
    if path == "falling":
        shape = (1.0 + finance.gpu_rent_change_per_yr) ** of_generation
    elif path == "v":
        at, share = zip(*finance.gpu_rent_v_by_year, strict=True)
        shape = np.interp(of_generation + 1.0, at, share)
    else:
        shape = np.ones(years)
    growth: FloatArray = shape * (1.0 + rise) ** year
    return growth
