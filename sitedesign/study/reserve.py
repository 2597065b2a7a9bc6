"""Reserve that a study asks for; what is left out is what a careful owner of an island would ask."""

from __future__ import annotations

from typing import Annotated, ClassVar

from sitedesign.errors import Fault
from sitedesign.study.limits import MW
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Kind, Measure
from sitedesign.util.inputs import Input, documented

#: Heading under which it is asked.
RESERVE = "Reserve"
_SHARE = Measure("fraction", 0, 1)


@documented
class Reserve(Checked):
    """What must be carried in every step without what an event takes (``sitedesign.Reserve``).

    In each step units on line, imports and the battery must be able to carry the load with `spinning_share`
    on top, less sun and wind with `resource_share` off, without the `n_minus` largest units on line or with a
    step of the load, whichever is worse. The operator starts units for it; hours in which it is missing are
    counted by the certificate, and a design that exceeds `short_h_per_yr` is not certified.

    Left out, each is what a careful owner of an island would ask: N-1, and the shares of NERC BAL-002-WECC (3
    % of the load) and of REopt's off-grid default for sun (25 %).

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.Reserve(n_minus=1, hold_minutes=30).n_minus
    1
    """

    WHERE: ClassVar[str] = "reserve"
    EXAMPLE: ClassVar[str] = "sd.Reserve(n_minus=1, load_step_mw=20)"

    # fmt: off
    n_minus: Annotated[int, Measure("units", 0, 100, whole=True), Input(
        "N minus", "Largest units on line whose trip at once must be carried. Imports are among them.",
        RESERVE,
    )] = 1
    load_step_mw: Annotated[float, MW, Input(
        "load step", "Rise of the load that must be carried. The worse of this and the trip counts.", RESERVE,
    )] = 0.0
    spinning_share: Annotated[float, _SHARE, Input(
        "share of the load", "Share of the load that must be held on top.", RESERVE,
    )] = 0.03
    resource_share: Annotated[float, _SHARE, Input(
        "share of sun and wind", "Share by which sun and wind may fall.", RESERVE,
    )] = 0.25
    hold_minutes: Annotated[float, Measure("min", 0, 1440), Input(
        "hold",
        "How long the battery must be able to give what it is counted with. The default covers a failed "
        "start and its retry.",
        RESERVE,
    )] = 30.0
    battery_alone: Annotated[bool, Kind((bool,), "must be true or false"), Input(
        "battery carries it alone",
        "Whether the battery's power must carry an event alone. The trip of so many units of each technology "
        "that is built, or the load step, while other units start.",
        RESERVE, type="bool", planner=False,
    )] = True
    short_h_per_yr: Annotated[float, Measure("h/yr", 0, 8760), Input(
        "hours without", "Hours a year in which it may be missing. As while a unit is repaired.", RESERVE,
    )] = 24.0
    # fmt: on

    def _contradictions(self) -> list[Fault]:
        """Refuse a reserve of nothing."""
        asked = (self.n_minus, self.load_step_mw, self.spinning_share, self.resource_share)
        if any(asked):
            return []
        return [Fault("reserve", "nothing to hold", "needs one of n_minus, load_step_mw and the shares")]

    @property
    def words(self) -> str:
        """What is asked, in a line."""
        parts = [f"N-{self.n_minus}"] if self.n_minus else []
        parts += [f"a step of {self.load_step_mw:g} MW"] if self.load_step_mw else []
        parts += [f"{self.spinning_share:.0%} of the load", f"{self.resource_share:.0%} of sun and wind"]
        alone = ", the battery alone while units start" if self.battery_alone else ""
        return f"{', '.join(parts)}, for {self.hold_minutes:g} min{alone}"
