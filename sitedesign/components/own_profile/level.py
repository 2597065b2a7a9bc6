"""Whether a profile's numbers are in the unit they are taken for: its level beside what could be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np

from sitedesign.components.own_profile.clock import ProfileRecord
from sitedesign.components.own_profile.units import Unit
from sitedesign.errors import Fault

Kind = Literal["solar", "load"]

_PLAIN = {"solar": "MW per MWdc", "load": "MW"}
#: A mean off by more is another unit, another plant or another building.
OFF_BY = 3.0
# Highest hourly output of an array by its DC rating: 0.65 behind a small inverter to 1.1 on cold, clear days.
_PEAK_PER_RATING = (0.6, 1.1)
USUAL_PEAK = 0.85
# Within this factor of what it should be, a unit explains a level well enough to be named alone.
_CLOSE = 1.6
_SIZES_MWDC = {1.0: "1 MWdc", 0.001: "1 kWdc"}


@dataclass(frozen=True)
class Scale:
    """From the numbers as they stand to MW, or MW per MWdc.

    Attributes
    ----------
    factor : float
    unit : str
        As it was read, empty when nothing says it.
    notes : tuple of str
    """

    factor: float
    unit: str = ""
    notes: tuple[str, ...] = ()


def scale_of(
    record: ProfileRecord, kind: Kind, step_minutes: int, rated_mw: float | None
) -> tuple[Scale, list[Fault]]:
    """Find out what the numbers must be multiplied with.

    Parameters
    ----------
    record : ProfileRecord
    kind : str
        ``solar`` or ``load``.
    step_minutes : int
        [min]
    rated_mw : float or None
        What the user says: the array's size [MWdc], or what a load in shares is a share of [MW].

    Returns
    -------
    Scale
    faults : list of Fault
        When the unit leaves more than one reading.
    """
    unit = record.unit
    if record.refused is not None:
        return Scale(1.0), [record.refused]
    if unit is None:
        if rated_mw is None:
            return Scale(1.0, "", (f"no unit given: read as {_PLAIN[kind]}",)), []
        return Scale(1 / rated_mw if kind == "solar" else rated_mw, "", (_rated_note(kind, rated_mw),)), []
    ambiguous = _ambiguous(record, unit, kind, step_minutes)
    if ambiguous:
        return Scale(1.0), [ambiguous]
    factor = unit.to_mw(step_minutes)
    said = f"{unit.text} ({record.said_by})"
    if kind == "load":
        return _load_scale(record, unit, factor, said, rated_mw)
    if not unit.of_a_plant:
        return _share_scale(record, unit, factor, said)
    size = rated_mw or record.rated_mw
    if size is not None:
        who = "as you say" if rated_mw else "said by the file"
        note = f"divided by the array's {size:g} MWdc ({who})"
        return Scale(factor / size, unit.text, (*_converted(said, "MW", factor), note)), []
    return _assumed_size(record, unit, factor, said)


def level_faults(
    record: ProfileRecord, scale: Scale, kind: Kind, step_minutes: int, mean: float | None, *, stated: bool
) -> tuple[list[Fault], tuple[str, ...]]:
    """Compare the mean with what it could be.

    Parameters
    ----------
    record : ProfileRecord
        Its values multiplied by `scale`.
    scale : Scale
    kind : str
    step_minutes : int
        [min]
    mean : float or None
        What sitedesign would compute. [MW, or MW per MWdc]
    stated : bool
        Whether the user said the unit or the size: then the level of a load is the user's. That of an array
        is physics.

    Returns
    -------
    faults : list of Fault
        With the unit that fits best.
    notes : tuple of str
    """
    known = record.values[np.isfinite(record.values)]
    if mean is None or mean <= 0 or not known.size or known.mean() <= 0:
        return [], ()
    ratio = float(known.mean()) / mean
    off = not 1 / OFF_BY <= ratio <= OFF_BY
    if stated and kind == "load":  # a building may hold more than the racks, and its owner says that it does
        note = f"its mean is {ratio:.3g} times what the contracted racks draw"
        return [], (note,) if off else ()
    units = {_PLAIN[kind]: 1.0, **_other_units(kind, step_minutes)}
    as_written = ratio / scale.factor
    best = min(units, key=lambda name: abs(log(as_written * units[name])))
    # A unit that is written is believed as far as the factor; without one, another that fits better is asked.
    if not off and (scale.unit or stated or best == _PLAIN[kind]):
        return [], ()
    source = f"after conversion from {scale.unit}" if scale.unit else "without a unit"
    found = f"a mean of {known.mean():.4g} {source}"
    beside = "what the array could give here" if kind == "solar" else "what the contracted racks draw"
    allowed = f"must be within a factor of {OFF_BY:g} of {beside}, {mean:.3g} {_PLAIN[kind]}"
    fits = as_written * units[best]
    if stated:
        remedy = f"It is {ratio:.3g} times that: check the unit and the size of the array that you say."
    else:
        remedy = _likely(record, kind, best if 1 / OFF_BY <= fits <= OFF_BY else "", fits, ratio)
    return [Fault(record.where, found, allowed, remedy)], ()


def _likely(record: ProfileRecord, kind: Kind, best: str, fits: float, ratio: float) -> str:
    """Name the likely unit, or the likely size, and how to say it."""
    if record.commas_may_group and 1 / OFF_BY <= ratio * 1000 <= OFF_BY:
        return "Commas in it may group thousands: save the file without them."
    ways = [f"likely {best}: say {how_to_say(record, kind, unit=best)}"] if best else []
    if kind == "solar" and not 1 / _CLOSE <= fits <= _CLOSE:
        size = f"{ratio:.2g}"
        said = how_to_say(record, kind, rated_mw=size)
        ways.append(f"perhaps of an array of about {size} MWdc: say {said}")
    if not ways:
        return f"It is {ratio:.3g} times that: check the unit and the number of racks."
    if best and kind == "load":
        ways.append(f"name the column like 'load ({best})'")
    return f"The values are {'; or '.join(ways)}."


def _other_units(kind: Kind, step_minutes: int) -> dict[str, float]:
    """Units that numbers without one may be in, and what they are in MW or MW per MWdc."""
    share = step_minutes / 60
    if kind == "solar":
        units = {"kW/MWdc": 1e-3, "%": 1e-2, "W/MWdc": 1e-6}
        energies = {"kWh/kWp per interval": 1 / share, "Wh/kWp per interval": 1e-3 / share}
    else:
        units = {"W": 1e-6, "kW": 1e-3, "GW": 1e3}
        energies = {
            f"{name} per interval": of / share for name, of in (("Wh", 1e-6), ("kWh", 1e-3), ("MWh", 1.0))
        }
    return units | (energies if share < 1 else {})


def how_to_say(record: ProfileRecord, kind: Kind, **said: str) -> str:
    """Write down what the user can say beside the data: a table of a study file, which Python reads as well.

    Parameters
    ----------
    record : ProfileRecord
    kind : str
    **said : str
        ``unit``, ``rated_mw``, ``clock``.
    """
    source = "data = ..." if record.where == f"{kind}_profile" else f'file = "{record.where}"'
    texts = [f"{key} = {value}" if key == "rated_mw" else f'{key} = "{value}"' for key, value in said.items()]
    return f"{kind}_profile = {{{', '.join([source, *texts])}}}"


def _ambiguous(record: ProfileRecord, unit: Unit, kind: Kind, step_minutes: int) -> Fault | None:
    if unit.quantity == "either" and step_minutes != 60:
        allowed = f"may be power or energy per {step_minutes} min"
        remedy = f'Say which, unit = "kW" or unit = "kWh per {step_minutes} min": '
        remedy += f"{how_to_say(record, kind, unit='kW')}."
        return Fault(record.where, f"values in {unit.text!r} ({record.said_by})", allowed, remedy)
    if unit.minutes is not None and unit.minutes != step_minutes:
        found = f"values in {unit.text} per {unit.minutes} min at steps of {step_minutes} min"
        return Fault(record.where, found, "the unit must be of the step", "Check the unit and the stamps.")
    return None


def _load_scale(
    record: ProfileRecord, unit: Unit, factor: float, said: str, rated_mw: float | None
) -> tuple[Scale, list[Fault]]:
    if unit.of_a_plant:
        return Scale(factor, unit.text, _converted(said, "MW", factor)), []
    if unit.quantity == "share" and rated_mw is not None:
        note = f"{said} of {rated_mw:g} MW, as you say"
        return Scale(factor * rated_mw, unit.text, (note,)), []
    remedy = "Give the load itself in kW or MW."
    if unit.quantity == "share":
        remedy = f"Say of how many MW, such as {how_to_say(record, 'load', rated_mw='100')}."
    fault = Fault(record.where, f"values in {said}", "a load must be in MW, or a share of known MW", remedy)
    return Scale(1.0), [fault]


def _share_scale(record: ProfileRecord, unit: Unit, factor: float, said: str) -> tuple[Scale, list[Fault]]:
    """Scale of a production per rating, or in per cent of something."""
    notes = _converted(said, _PLAIN["solar"], factor)
    highest = float(np.nanmax(record.values, initial=0.0)) * factor
    if unit.quantity == "share" and re.search(r"peak|max|höchst|spitze", said, re.IGNORECASE):
        remedy = f"Multiply by the peak per MWdc, and say {how_to_say(record, 'solar', unit='MW/MWdc')}."
        fault = Fault(record.where, f"values in {said}", "must be a share of the array's MWdc", remedy)
        if "as you say" not in said:
            return Scale(1.0), [fault]
    if unit.quantity == "share" and abs(highest - 1) < 1e-6:
        notes += (
            "its highest value is exactly 1: if that is the inverters' rating or the profile's own peak and "
            "not the array's MWdc, the production is too high",
        )
    return Scale(factor, unit.text, notes), []


def _assumed_size(record: ProfileRecord, unit: Unit, factor: float, said: str) -> tuple[Scale, list[Fault]]:
    """Scale of a plant's production when nobody says how large the plant is."""
    known = record.values[np.isfinite(record.values)]
    peak_mw = float(known.max()) * factor if known.size else 0.0
    low, high = _PEAK_PER_RATING
    fitting = [size for size in _SIZES_MWDC if low <= peak_mw / size <= high]
    if not fitting and factor == 1.0 and peak_mw <= high:
        fitting = [1.0]  # MW per MWdc is what is asked for, at whatever level
    if fitting or peak_mw <= 0:
        size = fitting[0] if fitting else 1.0
        note = f"read as of an array of {_SIZES_MWDC[size]}: its highest value is {peak_mw / size:.2f}"
        return Scale(factor / size, unit.text, (*_converted(said, "MW", factor), note)), []
    guess = float(f"{peak_mw / USUAL_PEAK:.2g}")
    found = f"the production of a whole plant in {said}, highest {peak_mw:.4g} MW"
    remedy = f"By its highest value the array has about {guess:g} MWdc: say its size, "
    remedy += how_to_say(record, "solar", rated_mw=f"{guess:g}") + "."
    fault = Fault(record.where, found, "must be per MWdc, or of an array whose size is known", remedy)
    return Scale(1.0, unit.text), [fault]


def _rated_note(kind: Kind, rated_mw: float) -> str:
    if kind == "solar":
        return f"divided by the array's {rated_mw:g} MWdc, as you say"
    return f"a share of {rated_mw:g} MW, as you say"


def _converted(said: str, target: str, factor: float) -> tuple[str, ...]:
    if abs(factor - 1) < 1e-12:
        return (f"read as {said}",)
    return (f"converted from {said} to {target} (times {factor:.6g})",)
