"""What the racks ask of the bus: IT power, cooling by air temperature, losses on the way.

Electrical losses are in the power path only and cooling in the PUE only, so nothing is counted twice: rack
figures are DC power at the busbar, or AC power at the plug for servers with their own supplies, whose share
of the path's loss is then taken out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sitedesign.util.piecewise import piecewise

if TYPE_CHECKING:
    from sitedesign.library import Facility, PowerPath, Rack
    from sitedesign.weather.weather import Weather

FloatArray = NDArray[np.float64]
Use = Literal["training", "inference"]


def pue(temp_air_c: FloatArray, facility: Facility) -> FloatArray:
    """Mechanical power usage effectiveness by air temperature: straight lines, level beyond the ends.

    Parameters
    ----------
    temp_air_c : ndarray
        Dry-bulb temperature, any shape. [degrees C]
    facility : Facility

    Returns
    -------
    ndarray
        Rack and cooling power over rack power; electrical losses are not in it. [MW/MW]
    """
    points = np.array(sorted(facility.pue_by_temp_c))
    return piecewise(temp_air_c, points[:, 0], points[:, 1])


def rack_it_kw(rack: Rack, use: Use | float = "training") -> float:
    """Mean power of one rack at work, with its share of network, storage and CPU racks.

    Parameters
    ----------
    rack : Rack
    use : str or float
        ``training``, ``inference``, or the sustained share of `power_kw` itself. [fraction]

    Returns
    -------
    float
        At the point where the rack's figure is measured (``rack.measured_at``). [kW]
    """
    if isinstance(use, str):
        use = rack.sustained_fraction_training if use == "training" else rack.sustained_fraction_inference
    return rack.power_kw * (1 + rack.network_power_fraction) * float(use)


def delivery_efficiency(rack: Rack, path: PowerPath) -> float:
    """Efficiency from the bus to the point where the rack's power is measured.

    Parameters
    ----------
    rack : Rack
        ``ac_plug`` figures already hold the loss of the servers' own supplies.
    path : PowerPath

    Returns
    -------
    float
        [fraction]
    """
    if rack.measured_at == "ac_plug":
        return path.bus_to_rack_efficiency / path.rack_psu_efficiency
    return path.bus_to_rack_efficiency


def load_mw(
    weather: Weather,
    rack: Rack,
    racks: int,
    facility: Facility,
    path: PowerPath,
    sustained_fraction: Use | float,
) -> FloatArray:
    """Power that the contracted racks and their cooling need at the bus, all racks at work.

    Parameters
    ----------
    weather : Weather
        Only its air temperature is used.
    rack : Rack
    racks : int
        Contracted racks.
    facility : Facility
    path : PowerPath
    sustained_fraction : float or str
        Mean draw over `power_kw`, or ``training`` or ``inference``. [fraction]

    Returns
    -------
    ndarray, shape (years, steps)
        ``racks * power * (1 + network) * sustained * PUE(T) / efficiency``. [MW at the bus]
    """
    it_mw = racks * rack_it_kw(rack, sustained_fraction) / 1000
    return pue(weather.temp_air_c, facility) * (it_mw / delivery_efficiency(rack, path))
