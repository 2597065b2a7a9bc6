"""The roadmap that users hold: what was found, and the report of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sitedesign.report.roadmap_html import write_roadmap_report
from sitedesign.results import roadmap as results
from sitedesign.util.display_units import SYSTEMS, System
from sitedesign.util.gate import File, OneOf, OrNone, takes


@dataclass(frozen=True, repr=False)
class Roadmap(results.Roadmap):
    """Which power when, with its report.

    Everything else is that of :class:`sitedesign.results.roadmap.Roadmap`.

    Examples
    --------
    >>> plan = sd.roadmap(study, ramp={20: 8, 32: 16}, horizon_months=120, stages=3, gap=1e-2)
    >>> [stage.racks_running for stage in plan.stages][-1]
    16
    """

    @takes("Roadmap.report()", path=File((".html", ".htm")), units=OrNone(OneOf(SYSTEMS)))
    def report(self, path: str | Path, *, units: System | None = None) -> Path:
        """Write the HTML report: one file that opens offline.

        Parameters
        ----------
        path : path
            Of the file.
        units : {'si', 'us'}, optional
            Of texts and tables; the library's when left out.

        Returns
        -------
        Path
        """
        return write_roadmap_report(self, path, units=units)
