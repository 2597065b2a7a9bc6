"""Listing and printing library entries: every number with its unit and its source."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from sitedesign.library.files import KINDS, entry, names
from sitedesign.library.number import Entry, Value
from sitedesign.util.gate import TEXT, takes

if TYPE_CHECKING:
    import pandas as pd

_KEY_FIGURES: dict[str, tuple[str, ...]] = {
    "pv": ("capex_usd_per_wdc", "power_density_mwdc_per_acre", "lead_months"),
    "wind": ("unit_mw", "capex_usd_per_kw", "lead_months"),
    "battery": ("capex_usd_per_kwh", "capex_usd_per_kw", "round_trip_efficiency", "lead_months"),
    "backup": ("unit_mw", "capex_usd_per_kw", "heat_rate_btu_per_kwh_hhv", "lead_months"),
    "fuel": ("price_usd_per_mmbtu", "co2_kg_per_mmbtu"),
    "power_path": ("bus_to_rack_efficiency", "generator_to_bus_efficiency"),
    "rack": ("power_kw", "price_usd", "gpus", "gpu_hour_usd"),
    "facility": ("shell_usd_per_mw", "water_l_per_kwh", "lead_months"),
    "finance": ("wacc_power_real", "wacc_compute", "voll_usd_per_mwh"),
    "debt": ("spread_per_yr", "debt_fraction", "tenor_yr"),
    "schedule": ("large_transformer_months", "firm_interconnection_months"),
    "delivery": ("first_months", "per_month"),
    "rental": ("usd_per_kw_month", "mobilisation_usd_per_kw", "least_months", "months"),
    "owner": ("usd_per_kw_month", "ageing_per_month"),
    "tariff": ("energy_usd_per_mwh", "demand_usd_per_kw_month", "coincident_usd_per_kw_month"),
    "grid": ("months_to_energise", "connection_usd_per_kw", "curtailed_h_per_yr"),
    "region": ("gas_usd_per_mmbtu", "land_usd_per_acre", "solar_cost_factor", "engine_cost_factor"),
    "scale": ("site_development_usd", "hall_exponent", "backup_exponent"),
    "surplus": ("usd_per_mwh", "capex_usd_per_kw", "availability"),
}


def format_value(value: Value | str) -> str:
    """Write a value compactly: up to six digits, pairs as ``x: y``, a missing number as ``none``."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        parts = (f"{item[0]:g}: {item[1]:g}" if isinstance(item, tuple) else f"{item:g}" for item in value)
        return ", ".join(parts)
    if isinstance(value, int | float):
        return f"{value:,.10g}" if abs(value) >= 1e4 else f"{value:.6g}"
    return str(value)


@takes("the technology library", kind=TEXT)
def list_entries(kind: str | None = None) -> pd.DataFrame:
    """List the library.

    Parameters
    ----------
    kind : str, optional
        Only this kind, for example ``backup``.

    Returns
    -------
    pandas.DataFrame
        Columns ``kind``, ``name``, ``title``, ``key_figures`` (text with units).

    Raises
    ------
    InputError
        For an unknown kind.
    """
    import pandas as pd  # takes long to load, and most who want an entry want no table

    rows = []
    for each in [kind] if kind is not None else KINDS:
        for name in names(each):
            found = entry(each, name)
            numbers = found.numbers()
            figures = ", ".join(
                f"{key.split('_')[0] if key == 'lead_months' else _short(key)} "
                f"{format_value(getattr(found, key))} {_unit(numbers[key].unit)}".rstrip()
                for key in _KEY_FIGURES[each]
            )
            rows.append({"kind": each, "name": name, "title": found.title, "key_figures": figures})
    return pd.DataFrame(rows, columns=["kind", "name", "title", "key_figures"])


entries = list_entries


@takes("the technology library")
def show(kind: str, name: str) -> EntryTable:
    """Print-ready table of one entry: every number, its unit, its confidence and its source.

    Parameters
    ----------
    kind, name : str
        As in :func:`list_entries`.

    Raises
    ------
    InputError
        For an unknown kind or name.
    """
    return EntryTable(entry(kind, name))


@dataclass(frozen=True, repr=False)
class EntryTable:
    """An entry to look at: text in a terminal, a table in a notebook.

    Attributes
    ----------
    entry : Entry
    """

    entry: Entry

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number: value, unit, meaning, provenance, note, and whether nothing uses it."""
        import pandas as pd

        rows = []
        for field, number in self.entry.numbers().items():
            value = getattr(self.entry, field)
            known = self.entry.sources.get(field)
            rows.append(
                {
                    "number": field,
                    "value": format_value(value),
                    "unit": number.unit,
                    "meaning": number.meaning,
                    "year": "" if known is None or known.year is None else str(known.year),
                    "status": known.status if known else "",
                    "confidence": known.confidence if known else "",
                    "source": known.source if known else "",
                    "note": known.note if known else "",
                    "used_by": known.used_by if known else "",
                }
            )
        return pd.DataFrame(rows).set_index("number")

    def _head(self) -> str:
        words = ", ".join(f"{word} {getattr(self.entry, word)}" for word in self.entry.words())
        return f"{self.entry.kind} {self.entry.name}: {self.entry.title}" + (f" ({words})" if words else "")

    def __repr__(self) -> str:
        """One line a number, its source below it."""
        lines = [self._head()]
        for field, row in self.to_frame().iterrows():
            unit = "" if row["value"] == "none" else f" {row['unit']}"
            lines.append(f"  {field} = {row['value']}{unit}   [{row['status']}, {row['confidence']}]")
            lines.append(
                f"      {row['meaning']}. {row['source']}{', ' + row['year'] if row['year'] else ''}"
            )
            if row["note"]:
                lines.append(f"      {row['note']}")
            if row["used_by"]:
                lines.append(f"      used by: {row['used_by']}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the same facts as a table, escaped."""
        return f"<h4>{escape(self._head())}</h4>{self.to_frame().to_html(escape=True)}"


def _short(key: str) -> str:
    """Drop the unit from a field name: ``capex_usd_per_kwh`` becomes ``capex``."""
    for mark in ("_usd", "_btu", "_mwdc", "_kg", "_l_per", "_mw", "_kw", "_months"):
        key = key.split(mark)[0]
    return key.replace("_", " ")


def _unit(unit: str) -> str:
    return "" if unit in ("fraction", "count") else unit
