"""Tables of candidate sites: CSV, Parquet, GeoJSON points, DataFrame or a list.

A row keeps its content as it was given; a cell that does not make sense fails its own row later, never the
table. Only columns are checked here: one that looks like an input with a slip would silently change nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from sitedesign import library
from sitedesign.batch.headings import apart, known_name, own_columns
from sitedesign.errors import Fault, InputError
from sitedesign.library import Region
from sitedesign.study.fuels import FUELS
from sitedesign.study.study import Study
from sitedesign.study.unit_rules import UnitRules
from sitedesign.util.gate import File, Kind, Many
from sitedesign.util.inputs import declared, is_model
from sitedesign.weather.site import Site

_SEPARATORS = (b";", b"\t", b"|")
#: Not three digits behind it: 1,200 may be thousands.
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})|[+-]?\d+,\d+\s*%")
SITE_COLUMNS = tuple(Site.model_fields)
TEXT_COLUMNS = frozenset(
    {"name", "timezone"}
    | {
        name
        for name, item in declared(Study).items()
        if item.sort in ("text", "day", "entry", "file", "words")
        or (item.sort == "choice" and item.kind is str)
    }
)
#: Inputs with fields of their own, which stand in columns such as ``limits.solar_mw``.
NESTED: dict[str, type[BaseModel]] = {
    name: item.kind
    for name, item in declared(Study).items()
    if item.sort == "table" and name != "site" and is_model(item.kind)
} | {"region": Region}
_PREFIXED = ("site", "fuel_price_usd_per_mmbtu", "tank_h", "lorries_per_day", "unit_rules", *NESTED)
#: Rule of units of which a cell holds several, as ``12;13;42``.
WEEKS = "maintenance_weeks"
# Fields that no cell can hold, and what to do instead.
_NO_COLUMN = {
    "classes": "Give the classes with the question; they are then the same at every site.",
    "tank_choices_h": "Give the choice with the question; it is then the same at every site.",
    "power_paths": "Give pv with ';' between the arrays to choose from.",
}
# Fields inside another that are no column either.
_NO_CELLS = ("limits.units", "limits.wind_mw", "region.kind", "region.name", "region.title", "region.sources")
_SUFFIXES = (".csv", ".txt", ".xlsx", ".parquet", ".geojson", ".json")
_MOST_COLUMNS = 1000
_FILE = File(says="must be the path of a table of sites")
_SITES = Many(
    Kind((Site, Mapping), "must be a sitedesign.Site, or a mapping of column to value"),
    "must be a file, a DataFrame, or a list of sitedesign.Site or mappings",
    most=10_000_000,
)
Row = dict[str, Any]
Sites = str | Path | pd.DataFrame | Iterable[Site | Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class SiteTable:
    """Candidate sites as given.

    Attributes
    ----------
    rows : list of dict
        One a site; missing cells are left out, numbers are floats.
    keys : list of str
        One a row: hash of its content and, behind a dash, its occurrence among equal rows. The same row has
        the same key in any table, at any place.
    columns : list of str
        In the order given.
    folder : Path
        Where relative file names in cells start.
    source : str
        File name, or what the table was.
    carried : tuple of str
        Columns of the owner's own, which say nothing about the question.
    """

    rows: list[Row]
    keys: list[str]
    columns: list[str]
    folder: Path
    source: str
    carried: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Hash of the whole table, whatever its order."""
        return hashlib.sha256("\n".join(sorted(self.keys)).encode()).hexdigest()

    def beside(self, made: Collection[str]) -> SiteTable:
        """Give carried columns that results are called like another name."""
        names = {name: apart(name, made) for name in self.carried}
        if all(name == other for name, other in names.items()):
            return self
        return replace(
            self,
            rows=[{names.get(key, key): value for key, value in row.items()} for row in self.rows],
            columns=[names.get(name, name) for name in self.columns],
            carried=tuple(names.values()),
        )


def read_sites(sites: Sites) -> SiteTable:
    """Read a table of sites.

    Parameters
    ----------
    sites : path, DataFrame, or iterable of Site or mapping
        CSV, Parquet or GeoJSON points by the file's suffix.

    Returns
    -------
    SiteTable

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, or a column is missing or looks like an input with a slip.
    """
    known = {name.lower(): name for name in known_columns()}
    folder, source = Path(), "a table in memory"
    if isinstance(sites, str | Path):
        path = _FILE.clean(sites)
        faults = _FILE.faults("sites", path)
        if faults:
            raise InputError(faults, "solve_many()")
        folder, source = path.absolute().parent, path.name
        records = _records(_read_file(path), known)
    elif isinstance(sites, pd.DataFrame):
        records = _records(sites, known)
    else:
        items = _SITES.clean(sites)
        faults = _SITES.faults("sites", items)
        if faults:
            raise InputError(faults, "solve_many()")
        records = [item.model_dump() if isinstance(item, Site) else dict(item) for item in items]
    headings = dict.fromkeys(key for record in records for key in record)
    names = {key: known_name(str(key), known) for key in headings}
    carried, slips = own_columns(list(dict.fromkeys(names.values())), known.values())
    rows = [_clean(record, names, set(carried)) for record in records]
    columns = list(dict.fromkeys(names[key] for record in records[:1] for key in record))
    columns = list(dict.fromkeys([*columns, *(key for row in rows for key in row)]))
    _check_columns(rows, columns, source, slips)
    own = tuple(name for name in carried if name in columns and name not in _NO_COLUMN)
    return SiteTable(rows, site_keys(rows), columns, folder, source, own)


def site_keys(rows: Sequence[Row]) -> list[str]:
    """Key of every row: hash of its content, and a number that tells equal rows apart."""
    seen: Counter[str] = Counter()
    keys = []
    for row in rows:
        content = json.dumps(sorted(row.items()), ensure_ascii=True, separators=(",", ":"), default=repr)
        digest = hashlib.sha256(content.encode()).hexdigest()[:20]
        keys.append(f"{digest}-{seen[digest]}")
        seen[digest] += 1
    return keys


def known_columns() -> list[str]:
    """Every column that a table of sites may have."""
    whole = [name for name in Study.model_fields if name not in (*_PREFIXED, *_NO_COLUMN)] + ["region"]
    nested = [f"{name}.{field}" for name, model in NESTED.items() for field in model.model_fields]
    nested = [name for name in nested if name not in _NO_CELLS]
    backup = library.names("backup")
    units = [f"limits.units.{name}" for name in backup]
    wind = [f"limits.wind_mw.{name}" for name in library.names("wind")]
    fuels = [f"fuel_price_usd_per_mmbtu.{name}" for name in FUELS]
    tanks = [f"{field}.{name}" for field in ("tank_h", "lorries_per_day") for name in backup]
    rules = [f"unit_rules.{name}.{field}" for name in backup for field in UnitRules.model_fields]
    return [*SITE_COLUMNS, *whole, "gas_price", *nested, *units, *wind, *fuels, *tanks, *rules]


def _read_file(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    allowed = "must be a CSV, xlsx, Parquet or GeoJSON file with latitude and longitude"
    if not path.is_file() or suffix not in _SUFFIXES:
        raise InputError([Fault("sites", str(path), allowed)], "solve_many()")
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        if suffix in (".geojson", ".json"):
            return _points(json.loads(path.read_text(encoding="utf-8-sig")), path)
        if suffix == ".xlsx":
            return pd.read_excel(path, dtype=str, keep_default_na=False, na_values=[""])
        with path.open("rb") as file:
            head = file.readline()
        separator = max(_SEPARATORS, key=head.count) if b"," not in head else b","
        columns = head.count(separator) + 1
        if columns > _MOST_COLUMNS:  # which takes long to read
            raise InputError([_too_wide(columns)], "solve_many()")  # noqa: TRY301
        # As text: a word in one cell must not change how the numbers of other rows are read.
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, na_values=[""], encoding=_encoding(path),
            sep=separator.decode(),
        )  # fmt: skip
    except InputError:
        raise
    except Exception as error:  # each reader has its own family of errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError([Fault("sites", f"{path.name}: {reason}", allowed)], "solve_many()") from None
    if suffix in (".csv", ".txt") and not isinstance(
        frame.index, pd.RangeIndex
    ):  # pandas takes surplus cells for row labels
        found = f"{path.name}: rows with more cells than the heading"
        raise InputError([Fault("sites", found, allowed)], "solve_many()")
    return frame


def _encoding(path: Path) -> str:
    """Find the encoding of a text file: UTF-8, or what spreadsheets of western countries write."""
    try:
        path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _points(data: Any, path: Path) -> pd.DataFrame:  # noqa: ANN401
    """Rows of a GeoJSON FeatureCollection of points; properties become columns."""
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list):
        raise InputError(
            [Fault("sites", path.name, "must be a GeoJSON FeatureCollection of points")], "solve_many()"
        )
    rows, faults = [], []
    for number, feature in enumerate(features):
        geometry = feature.get("geometry") or {}
        if geometry.get("type") != "Point":
            kind = geometry.get("type", "no geometry")
            remedy = "Use the centroids of polygons."
            faults.append(Fault(f"sites feature {number}", str(kind), "must be a Point", remedy))
            continue
        longitude, latitude = geometry["coordinates"][:2]
        rows.append({"latitude": latitude, "longitude": longitude} | (feature.get("properties") or {}))
    if faults:
        raise InputError(faults, "solve_many()")
    return pd.DataFrame(rows)


def _too_wide(columns: int) -> Fault:
    found, allowed = f"{columns:,} columns", f"must be at most {_MOST_COLUMNS:,}"
    return Fault("sites", found, allowed, "Is this a table of sites, with commas between the columns?")


def _records(frame: pd.DataFrame, known: Mapping[str, str]) -> list[Row]:
    names = Counter(known_name(str(name), known) for name in frame.columns)
    if len(names) > _MOST_COLUMNS:
        raise InputError([_too_wide(len(names))], "solve_many()")
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        faults = [Fault(f"sites.{name}", "a column twice", "each column may stand once") for name in twice]
        raise InputError(faults, "solve_many()")
    return [{str(key): value for key, value in record.items()} for record in frame.to_dict("records")]


def _clean(record: Mapping[str, Any], names: Mapping[Any, str], carried: Collection[str]) -> Row:
    """Leave out missing cells and read numbers, cell by cell; what is carried through stays as it is."""
    cells = {name: _own(cell) if name in carried else _cell(name, cell)
             for key, value in record.items() for name, cell in [(names[key], _given(value))]
             if cell is not None}  # fmt: skip
    return {key: value for key, value in cells.items() if value is not None}


def _given(value: Any) -> Any:  # noqa: ANN401
    """Cell without spaces around it; None where nothing stands in it."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if hasattr(value, "item"):
        value = value.item()  # numpy scalars
    if isinstance(value, str):
        value = value.strip()
    return None if isinstance(value, str) and not value else value


def _own(value: Any) -> str | float:  # noqa: ANN401
    """Cell that is carried through: a number stays one, anything else is text (a parcel 0123 as well)."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _cell(column: str, value: Any) -> Any:  # noqa: ANN401
    if column in TEXT_COLUMNS:
        return value if isinstance(value, (list, tuple)) else str(value)
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        value = value.replace(",", ".")
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        try:
            value = float(value)
        except ValueError:
            return value
        return None if value != value else value
    return value


def _check_columns(rows: Sequence[Row], columns: Sequence[str], source: str, slips: Sequence[Fault]) -> None:
    faults = [*slips]
    faults += [
        Fault(f"sites.{name}", "a column", "cannot stand in a table of sites", remedy)
        for name, remedy in _NO_COLUMN.items()
        if name in columns
    ]
    if not rows:
        faults.append(Fault("sites", f"no rows in {source}", "needs at least one site"))
    faults += [
        Fault(f"sites.{name}", "no such column", "is needed, in degrees")
        for name in ("latitude", "longitude")
        if rows and name not in columns
    ]
    if faults:
        raise InputError(faults, "solve_many()")
