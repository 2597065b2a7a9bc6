"""Which entry of the library a fuel of a study is: natural gas has one for each contract of its transport."""

from __future__ import annotations

from typing import Literal, get_args

from sitedesign import library
from sitedesign.library import Backup, Fuel

GasContract = Literal["firm", "interruptible"]
NATURAL_GAS = "natural_gas"
#: Names by which studies call their fuels.
FUELS: tuple[str, ...] = tuple(
    sorted(
        {word for name in ("fuel", "second_fuel") for word in get_args(Backup.model_fields[name].annotation)}
        - {"none"}
    )
)


def contracted_fuel(name: str, gas_contract: GasContract) -> Fuel:
    """Fuel of the library under a contract, named as studies call it.

    Parameters
    ----------
    name : str
        One of `FUELS`.
    gas_contract : str
        Transport of natural gas.
    """
    if name == NATURAL_GAS and gas_contract == "interruptible":
        return library.fuel("natural_gas_interruptible").replace(name=name)
    return library.fuel(name)
