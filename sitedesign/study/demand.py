"""What compute is asked for: racks, IT power, GPUs or throughput, for all of it or class by class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, ValidationError

from sitedesign import library
from sitedesign.errors import Fault, InputError
from sitedesign.library import Rack
from sitedesign.util.gate import Measure, Words, is_number, unnamed
from sitedesign.util.inputs import Input, documented
from sitedesign.util.model import Model
from sitedesign.util.validation import faults_of, unknown_keys

Use = Literal["training", "inference"]
CurveName = Literal["default", "conservative", "optimistic", "measured_h100"]

MOST_IT_MW = 20_000.0
# Far beyond what MOST_IT_MW allows of any rack
RACKS = Measure("racks", 1, 10_000_000, whole=True)
GPUS = Measure("GPUs", 1, 1_000_000_000, whole=True)
IT_MW = Measure("MW", 0, MOST_IT_MW, above=True)
UPTIME = Measure("fraction", 0, 1, above=True, below=True, percent_from=50)
_WORK = Measure("racks", 0, 1e7, above=True, says="must be above 0 and at most 10,000,000 racks")
_TOKENS = Measure("tokens/s", 0, 1e15, above=True, says="must be above 0 and at most 1e15 tokens/s")
USD_PER_RACK_H = Measure("USD/rack-h", 0, 1e6)
_NAME = Words("results need a name to show", most=200, empty=False)
#: Ways to say how much compute is contracted; one of them is needed.
CONTRACTS = ("racks", "it_mw", "gpus", "throughput")
#: Heading under which the load is asked.
LOAD = "Load"
USE_WORDS = {"training": "training", "inference": "inference"}
ContractedRacks = Annotated[
    int | None,
    RACKS,
    Input(
        "Racks",
        "Racks contracted. One measure of the load is needed, the others stay away.",
        LOAD,
        planner=False,
    ),
]
ContractedMw = Annotated[
    float | None,
    IT_MW,
    Input(
        "IT power",
        "IT power contracted. At the racks, network included; turned into racks, rounded up.",
        LOAD,
        example=100,
        planner=False,
    ),
]
ContractedGpus = Annotated[
    int | None,
    GPUS,
    Input("GPUs", "GPUs contracted. Turned into racks, rounded up.", LOAD, example=50_000, planner=False),
]
_ROUNDING = 1e-9  # so that 7 racks' worth of power is 7 racks


@documented
class Throughput(Model):
    """A contract in work done rather than in equipment; exactly one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rack_equivalents: Annotated[
        float | None, _WORK, Input("Work", "Work of so many racks at full power.", LOAD)
    ] = None
    tokens_per_s: Annotated[
        float | None, _TOKENS, Input("Tokens", "Output tokens, by the rack model's own benchmark.", LOAD)
    ] = None


@documented
class LoadClass(Model):
    """Part of a site's compute with a target, a use and a value of its own (``sitedesign.LoadClass``).

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> classes = [
    ...     sd.LoadClass(name="training", racks=500, uptime=0.99, metric="compute"),
    ...     sd.LoadClass(name="batch", racks=100, uptime=None),
    ... ]
    >>> sd.Study(site=site, classes=classes).contracted_racks
    500
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # fmt: off
    name: Annotated[str, _NAME, Input("Name", "Name shown in results.", LOAD, example="serving")]
    racks: ContractedRacks = None
    it_mw: ContractedMw = None
    gpus: ContractedGpus = None
    uptime: Annotated[float | None, UPTIME, Input(
        "Uptime",
        "Share to serve, of rack-hours (or throughput, see `metric`). None is best effort: these "
        "racks run on power that would be curtailed and on nothing else.",
        LOAD,
    )] = None
    use: Annotated[Use, Input("Use", "Training or inference.", LOAD)] = "training"
    metric: Annotated[Literal["rack", "compute"], Input(
        "Uptime counts", "Whether load of this class is shed rack by rack or throttled.", LOAD,
    )] = "rack"
    throughput_curve: Annotated[CurveName, Input("Throughput curve", 'For ``metric="compute"``.', LOAD)] = (
        "default"
    )
    value_usd_per_rack_h: Annotated[float | None, USD_PER_RACK_H, Input(
        "Value",
        "What an hour of one rack is worth; load of the least value is shed first. Give it for every "
        "contracted class or for none: then the class with the laxer target is shed first.",
        LOAD,
    )] = None
    # fmt: on

    def __init__(self, *given: Any, **data: Any) -> None:  # noqa: ANN401
        fields = type(self).model_fields
        faults = unnamed(given, "class", "sd.LoadClass(name='training', racks=60, uptime=0.99)")
        faults += unknown_keys("class", data, fields)
        known = {key: value for key, value in data.items() if key in fields}
        faults += contract_faults(known, "class", ("racks", "it_mw", "gpus"))
        faults += uptime_faults(known.get("uptime"), "class.uptime")
        try:
            super().__init__(**known)
        except ValidationError as error:
            named = {fault.where for fault in faults}  # already said in better words
            faults += [fault for fault in faults_of(error, "class", fields) if fault.where not in named]
        if faults:
            raise InputError(faults, "LoadClass()")

    @property
    def best_effort(self) -> bool:
        """Whether nothing is promised to this class."""
        return self.uptime is None


@dataclass(frozen=True)
class Contract:
    """One class of load with its racks counted.

    Attributes
    ----------
    name : str
    racks : int
    rack_mw : float
        IT power of one rack at work, network included. [MW]
    uptime : float
        Target; 0 where the optimiser chooses it or nothing is promised. [fraction]
    metric : str
    throughput_curve : str
    value_usd_per_rack_h : float or None
        [USD/rack-h]
    """

    name: str
    racks: int
    rack_mw: float
    uptime: float
    metric: str
    throughput_curve: CurveName
    value_usd_per_rack_h: float | None = None

    @property
    def it_mw(self) -> float:
        """IT power of the class. [MW]"""
        return self.racks * self.rack_mw


def racks_of(
    rack: Rack,
    rack_mw: float,
    *,
    racks: int | None = None,
    it_mw: float | None = None,
    gpus: int | None = None,
    throughput: Throughput | None = None,
) -> int:
    """Count the racks of a contract, whatever it is given in; rounded up.

    Parameters
    ----------
    rack : Rack
    rack_mw : float
        IT power of one rack at work. [MW]
    racks, it_mw, gpus, throughput
        Exactly one of them.

    Returns
    -------
    int
        At least 1.
    """
    if racks is not None:
        return racks
    if it_mw is not None:
        amount = it_mw / rack_mw
    elif gpus is not None:
        amount = gpus / rack.gpus
    else:
        assert throughput is not None  # one of the four is given, checked on construction
        amount = throughput.rack_equivalents or (throughput.tokens_per_s or 0.0) / (rack.tokens_per_s or 1.0)
    return max(1, math.ceil(amount - _ROUNDING * max(1.0, amount)))


def contract_faults(data: Mapping[str, Any], prefix: str, ways: tuple[str, ...]) -> list[Fault]:
    """Faults of a contract: given in exactly one way, and in a number that makes sense.

    Parameters
    ----------
    data : mapping
        Fields as given.
    prefix : str
        ``study``, or where the class stands.
    ways : tuple of str
        Fields in which this contract may be given.
    """
    faults = []
    given = [name for name in ways if data.get(name) is not None]
    if not given:
        allowed = f"give {', '.join(ways[:-1])} or {ways[-1]}"
        faults.append(Fault(f"{prefix}.racks", "nothing", allowed, "For example racks=700 or it_mw=100."))
    if len(given) > 1:
        both = "both " if len(given) == 2 else ""
        found = both + " and ".join(given)
        faults.append(Fault(f"{prefix}.{given[0]}", found, "one of them is needed", "Leave the rest out."))
    for name, gate in (("racks", RACKS), ("gpus", GPUS), ("it_mw", IT_MW)):
        if data.get(name) is not None:
            faults += gate.faults(f"{prefix}.{name}", gate.clean(data[name]))
    return faults


def throughput_faults(throughput: Throughput, rack: Rack) -> list[Fault]:
    """Faults of a contract in throughput, the rack model's silence about tokens among them."""
    work, tokens = throughput.rack_equivalents, throughput.tokens_per_s
    where = "study.throughput"
    if (work is None) == (tokens is None):
        found = "nothing" if work is None else "both rack_equivalents and tokens_per_s"
        return [Fault(where, found, "needs one of rack_equivalents and tokens_per_s")]
    faults = []
    if tokens is not None and rack.tokens_per_s is None:
        able = [name for name in library.names("rack") if library.rack(name).tokens_per_s is not None]
        allowed = f"{rack.name} states no tokens/s; racks that do: {', '.join(able)}"
        remedy = "Use rack_equivalents, or rack.replace(tokens_per_s=...)."
        faults.append(Fault(f"{where}.tokens_per_s", f"{tokens:g}", allowed, remedy))
    return faults


def uptime_faults(uptime: Any, where: str) -> list[Fault]:  # noqa: ANN401
    """Fault of a target that is no fraction, with what was probably meant."""
    if uptime is None:
        return []
    faults = UPTIME.faults(where, UPTIME.clean(uptime))
    if faults and is_number(uptime) and uptime in (1, 100):
        return [replace(faults[0], remedy="No finite plant is never down; try 0.9999.")]
    return faults


def class_faults(classes: tuple[LoadClass, ...]) -> list[Fault]:
    """Faults between classes."""
    faults = []
    names = [item.name for item in classes]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults += [
        Fault("study.classes", f"{name!r} twice", "each class needs a name of its own") for name in twice
    ]
    contracted = [item for item in classes if not item.best_effort]
    if not contracted:
        remedy = "Give at least one class an uptime."
        faults.append(Fault("study.classes", "best effort only", "something must be promised", remedy))
    priced = [item.name for item in contracted if item.value_usd_per_rack_h is not None]
    if priced and len(priced) < len(contracted):
        found = f"a value for {', '.join(priced)} only"
        allowed = "every contracted class needs one, or none, so that they can be put in order"
        faults.append(Fault("study.classes", found, allowed))
    return faults
