"""What a month without power costs, by who loses it, and from when on rented power is worth its price.

Idle racks cost either the income that they would bring or the capital that stands idle; never both.
"""

from __future__ import annotations

from sitedesign.finance.annual_cost import HOURS_PER_YEAR
from sitedesign.library import Owner, Rack

MONTHS_PER_YEAR = 12


def idle_cost_usd(units: float, usd_per_unit_hour: float, years: float, discount_per_yr: float) -> float:
    """Present value of what chips do not earn until they have power.

    Parameters
    ----------
    units : float
        Chips, or whatever `usd_per_unit_hour` is the price of.
    usd_per_unit_hour : float
        [USD/h]
    years : float
        Until power is there. [yr]
    discount_per_yr : float
        [fraction/yr]

    Returns
    -------
    float
        ``sum over whole years k of annual / (1 + r)**k``, and the rest of a year by its share: each year is
        lost at its beginning, the formula of A. C. Newkirk, AI-Datacenter-Microgrid-Analysis, 2025. [USD]
    """
    annual = units * usd_per_unit_hour * HOURS_PER_YEAR
    whole = int(years)
    shares = [(year, 1.0) for year in range(whole)] + [(whole, years - whole)]
    return sum(share * annual * float((1 + discount_per_yr) ** -year) for year, share in shares)


def lost_income_usd(usd_per_month: float, months: int, discount_per_yr: float) -> float:
    """Present value of income that is paid at the end of each month, and is not.

    Parameters
    ----------
    usd_per_month : float
        [USD/month]
    months : int
        Of delay.
    discount_per_yr : float
        [fraction/yr]

    Returns
    -------
    float
        ``sum over m = 1..months of usd_per_month / (1 + r)**(m/12)``. [USD]
    """
    factor = float((1 + discount_per_yr) ** (-1 / MONTHS_PER_YEAR))
    return sum(usd_per_month * factor**month for month in range(1, months + 1))


def rack_month_usd(owner: Owner, rack: Rack) -> float:
    """Price a month in which a rack stands idle, as its owner counts.

    Parameters
    ----------
    owner : Owner
        Who counts income by the power of the rack, or capital and ageing by its price.
    rack : Rack
        With its share of the network, where its price is what counts.

    Returns
    -------
    float
        [USD/rack-month]
    """
    if owner.usd_per_kw_month is not None:
        return owner.usd_per_kw_month * rack.power_kw
    price = rack.price_usd * (1 + rack.network_price_fraction)
    capital = (owner.capital_per_yr or 0.0) / MONTHS_PER_YEAR
    return price * (capital + (owner.ageing_per_month or 0.0))


def bridge_usd_per_kw_month(
    rent_usd_per_kw_month: float,
    mobilisation_usd_per_kw: float,
    months: float,
    redundancy: float,
    dearer_usd_per_mwh: float,
) -> float:
    """Cost of a kW of load for a month on rented power; who earns more with it does well to rent.

    Parameters
    ----------
    rent_usd_per_kw_month : float
        By rated power. [USD/kW-month]
    mobilisation_usd_per_kw : float
        Paid once. [USD/kW]
    months : float
        Of rent.
    redundancy : float
        Power rented over load served. [fraction]
    dearer_usd_per_mwh : float
        Energy of the rented power less the price of what it stands in for. [USD/MWh]

    Returns
    -------
    float
        ``redundancy * (rent + mobilisation / months) + 0.73 MWh * dearer``. [USD/kW-month]
    """
    mwh_per_kw_month = HOURS_PER_YEAR / MONTHS_PER_YEAR / 1000
    rented = redundancy * (rent_usd_per_kw_month + mobilisation_usd_per_kw / months)
    return rented + mwh_per_kw_month * dearer_usd_per_mwh
