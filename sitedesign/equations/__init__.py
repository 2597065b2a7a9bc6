"""The equations of the model, one file per subject; importing this package fills :data:`REGISTRY`."""

from sitedesign.equations import (
    arrival,
    backup,
    balance,
    battery,
    cost,
    limits,
    racks,
    reserve,
    sinks,
    uptime,
)
from sitedesign.equations.registry import REGISTRY, Equation, equation
from sitedesign.equations.variables import SYMBOLS, Symbol

__all__ = [
    "REGISTRY",
    "SYMBOLS",
    "Equation",
    "Symbol",
    "arrival",
    "backup",
    "balance",
    "battery",
    "cost",
    "equation",
    "limits",
    "racks",
    "reserve",
    "sinks",
    "uptime",
]
