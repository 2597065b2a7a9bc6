"""The technology library: every piece of equipment and every price, with units and sources.

>>> from sitedesign import library
>>> library.battery("lfp").round_trip_efficiency
0.86
>>> library.battery("lfp").sources["round_trip_efficiency"].confidence
'H'
>>> library.battery("lfp").replace(round_trip_efficiency=0.9).round_trip_efficiency
0.9

The numbers stand in ``models/<kind>/<name>.toml``; :func:`load` reads a file of the user's own.
"""

from typing import cast

from sitedesign.library.connection import Connection, RegionalTariff, SurplusUse
from sitedesign.library.credits import (
    itc_fraction,
    least_share_of_no_foreign_entity,
    production_credit_usd_per_mwh,
)
from sitedesign.library.equipment import Backup, Battery, Fuel, PowerPath, Pv, Wind
from sitedesign.library.files import KINDS, entry, library_folder, load, names
from sitedesign.library.number import CONFIDENCE, STATUS, Entry, Number, Quantity
from sitedesign.library.project import DebtTerms, Facility, Finance, Rack, Region, Scale, Schedule
from sitedesign.library.tables import EntryTable, entries, list_entries, show
from sitedesign.library.timing import DeliveryRate, Owner, RentalTerms
from sitedesign.util.gate import takes

__all__ = [
    "CONFIDENCE",
    "KINDS",
    "STATUS",
    "Backup",
    "Battery",
    "Connection",
    "DebtTerms",
    "DeliveryRate",
    "Entry",
    "EntryTable",
    "Facility",
    "Finance",
    "Fuel",
    "Number",
    "Owner",
    "PowerPath",
    "Pv",
    "Quantity",
    "Rack",
    "Region",
    "RegionalTariff",
    "RentalTerms",
    "Scale",
    "Schedule",
    "SurplusUse",
    "Wind",
    "backup",
    "battery",
    "debt",
    "delivery",
    "entries",
    "entry",
    "facility",
    "finance",
    "fuel",
    "grid",
    "itc_fraction",
    "least_share_of_no_foreign_entity",
    "library_folder",
    "list_entries",
    "load",
    "names",
    "owner",
    "power_path",
    "production_credit_usd_per_mwh",
    "pv",
    "rack",
    "region",
    "rental",
    "scale",
    "schedule",
    "show",
    "surplus",
    "tariff",
    "wind",
]


@takes("the technology library")
def pv(name: str) -> Pv:
    """Photovoltaic array by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Pv, entry("pv", name))


@takes("the technology library")
def wind(name: str) -> Wind:
    """Wind turbine by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Wind, entry("wind", name))


@takes("the technology library")
def battery(name: str) -> Battery:
    """Battery by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Battery, entry("battery", name))


@takes("the technology library")
def backup(name: str) -> Backup:
    """Backup generator by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Backup, entry("backup", name))


@takes("the technology library")
def fuel(name: str) -> Fuel:
    """Fuel by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Fuel, entry("fuel", name))


@takes("the technology library")
def power_path(name: str) -> PowerPath:
    """Power path by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(PowerPath, entry("power_path", name))


@takes("the technology library")
def rack(name: str) -> Rack:
    """Rack by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Rack, entry("rack", name))


@takes("the technology library")
def facility(name: str) -> Facility:
    """Facility by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Facility, entry("facility", name))


@takes("the technology library")
def finance(name: str = "default") -> Finance:
    """Financial assumptions by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Finance, entry("finance", name))


@takes("the technology library")
def debt(name: str) -> DebtTerms:
    """Terms of a debt by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(DebtTerms, entry("debt", name))


@takes("the technology library")
def schedule(name: str = "default") -> Schedule:
    """Shared lead times by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Schedule, entry("schedule", name))


@takes("the technology library")
def delivery(name: str) -> DeliveryRate:
    """Rate of delivery by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(DeliveryRate, entry("delivery", name))


@takes("the technology library")
def rental(name: str) -> RentalTerms:
    """Power for rent by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(RentalTerms, entry("rental", name))


@takes("the technology library")
def owner(name: str) -> Owner:
    """Who loses by a delay, by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Owner, entry("owner", name))


@takes("the technology library")
def tariff(name: str) -> RegionalTariff:
    """Tariff of a region by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(RegionalTariff, entry("tariff", name))


@takes("the technology library")
def grid(name: str) -> Connection:
    """Grid connection by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Connection, entry("grid", name))


@takes("the technology library")
def surplus(name: str) -> SurplusUse:
    """Taker of surplus power by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(SurplusUse, entry("surplus", name))


@takes("the technology library")
def region(name: str) -> Region:
    """Region by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Region, entry("region", name))


@takes("the technology library")
def scale(name: str = "default") -> Scale:
    """Economies of scale by library name (or path of a ``.toml`` file); InputError when unknown."""
    return cast(Scale, entry("scale", name))


def __dir__() -> list[str]:
    """Public names only."""
    return __all__
