"""The design that users hold: what was found, and the report of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sitedesign.api.cash_flow import CashFlow, cash_flow
from sitedesign.api.design_sweeps import design_sweeps, with_causes
from sitedesign.reliability.certificate import Certificate
from sitedesign.report.content import assumptions
from sitedesign.report.design_sheet import write_design_sheet
from sitedesign.report.html import write_report
from sitedesign.report.single_line import single_line
from sitedesign.results import design as results
from sitedesign.results.battery_life import BatteryLife
from sitedesign.results.equipment import assumption_register, equipment_schedule, hourly
from sitedesign.results.plant_life import PlantLife
from sitedesign.util.display_units import SYSTEMS, System
from sitedesign.util.gate import File, Kind, OneOf, OrNone, takes


class Design(results.Design):
    """The least-cost plant of a study, with its report.

    Everything else is that of :class:`sitedesign.results.design.Design`.

    Examples
    --------
    >>> design.certificate is None, design.bound <= design.cost
    (True, True)
    >>> again = sd.Design.from_dict(design.to_dict())
    >>> again.racks == design.racks
    True
    """

    @takes(
        "report()",
        path=File((".html", ".htm")),
        certificate=Kind((Certificate,), "must be a Certificate, as sd.certify() gives it"),
        sweeps=Kind((Mapping, bool), "must be True, or tables by name"),
        finance=Kind((CashFlow, bool), "must be True, or a CashFlow, as sd.cash_flow() gives it"),
        plant_life=Kind((PlantLife,), "must be a PlantLife, as sd.plant_life() gives it"),
        battery_life=Kind((BatteryLife,), "must be a BatteryLife, as sd.battery_life() gives it"),
        units=OrNone(OneOf(SYSTEMS)),
    )
    def report(
        self,
        path: str | Path,
        *,
        certificate: Certificate | None = None,
        sweeps: Mapping[str, pd.DataFrame] | bool | None = None,
        finance: CashFlow | bool | None = None,
        plant_life: PlantLife | None = None,
        battery_life: BatteryLife | None = None,
        units: System | None = None,
    ) -> Path:
        """Write the HTML report: one file that opens offline.

        Parameters
        ----------
        path : path
            Of the file.
        certificate : Certificate, optional
            What a certificate found; the design's own when left out. Without any the report says that the
            design is a bound, not a promise.
        sweeps : mapping of str to DataFrame, or True, optional
            Tables as :func:`sitedesign.report.html.write_report` takes them. True computes them from the
            design's study, and the causes of what a certificate lost where it has none, in about a minute.
        finance : CashFlow or True, optional
            Its cash flow after taxes, which gets a section of its own; True is that of a developer on the
            library's terms.
        plant_life : PlantLife, optional
            What :func:`sitedesign.plant_life` found: uptime against age.
        battery_life : BatteryLife, optional
            What :func:`sitedesign.battery_life` found: energy held, by year.
        units : {'si', 'us'}, optional
            Of texts and tables; the library's, as sources have them, when left out.

        Returns
        -------
        Path

        Raises
        ------
        InputError
            If a sweep lacks a column, or is asked for and the study's weather came from files.
        """
        certificate = certificate or self.certificate
        if sweeps is True:
            sweeps = design_sweeps(self)
            certificate = with_causes(self, certificate) if certificate else None
        shown = cash_flow(self) if finance is True else finance or None
        return write_report(
            self, path, certificate=certificate, sweeps=sweeps or None, finance=shown, plant_life=plant_life,
            battery_life=battery_life, units=units,
        )  # fmt: skip

    @takes("equipment()", units=OneOf(SYSTEMS))
    def equipment(self, units: System = "si") -> pd.DataFrame:
        """List what is built, one line a unit: tag, rating, bus, lead time, source.

        Parameters
        ----------
        units : {'si', 'us'}
            Of land and heat rate.

        Returns
        -------
        DataFrame
            ``to_csv`` and ``to_excel`` write it.
        """
        return equipment_schedule(self, units)

    @takes("assumptions()", units=OneOf(SYSTEMS))
    def assumptions(self, units: System = "si") -> pd.DataFrame:
        """List every number that was used, with value, unit, range, confidence, source and note.

        Parameters
        ----------
        units : {'si', 'us'}

        Returns
        -------
        DataFrame
        """
        return assumption_register([table.entry for table in assumptions(self)], self.study, units)

    def hourly(self) -> pd.DataFrame:
        """Every step of every year with every unit, units of measurement in the column names.

        Returns
        -------
        DataFrame
            That of ``dispatch``, and where an operator ran the plant a column of each unit.

        Raises
        ------
        AttributeError
            For a design loaded from a file, which holds no time series.
        """
        return hourly(self)

    def single_line(self) -> str:
        """Draw buses and what feeds them as a single-line sketch.

        Returns
        -------
        str
            SVG.
        """
        return single_line(self)

    @takes("to_excel()", path=File((".xlsx",)))
    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook: answer, plant, costs, energy, certificate, question and every number's source.

        Parameters
        ----------
        path : path
            Ending in ``.xlsx``.

        Returns
        -------
        Path

        Raises
        ------
        InputError
            When XlsxWriter is not installed (``pip install sitedesign[excel]``), or the file cannot be
            written.
        """
        return write_design_sheet(self, Path(path))


def with_report(found: results.Design) -> Design:
    """Give a design that was found to its user."""
    fields = {name: getattr(found, name) for name in results.Design.model_fields}
    own = Design.model_construct(found.model_fields_set, **fields)
    own._study, own._dispatch, own._units = found._study, found._dispatch, found._units
    return own
