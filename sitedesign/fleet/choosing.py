"""A portfolio of sites: chosen by the curves of a batch, the chosen ones solved again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sitedesign import library
from sitedesign.api.design import Design
from sitedesign.api.solve import solve
from sitedesign.batch.one_site import figures
from sitedesign.batch.question import Question
from sitedesign.batch.ranking import rank
from sitedesign.batch.table import Sites
from sitedesign.errors import Fault, InfeasibleDesign, InputError, unknown_name
from sitedesign.fleet.candidates import candidates_of, study_at
from sitedesign.fleet.choice import Asked, Choice, IntArray, choose
from sitedesign.fleet.curves import SiteCosts, Terms, site_costs
from sitedesign.fleet.result import CHOSEN, ChosenSite, Portfolio, RegionShare, SitesAndCost
from sitedesign.fleet.together import Ties, choose_together
from sitedesign.library import Scale
from sitedesign.study.demand import MOST_IT_MW
from sitedesign.study.effort import GAP, TIME_LIMIT_S
from sitedesign.study.roadmap_inputs import Ramp, ramp_of
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, FLAG, Bounds, Kind, Many, Measure, OrNone, takes
from sitedesign.util.progress import Progress, silent

_OF = "portfolio()"
_MOST_RACKS = 10_000_000
_RACKS = Measure("racks", 1, _MOST_RACKS, whole=True)
_SITES = Measure("sites", 1, 1_000_000, whole=True)
_REGION_RACKS = Bounds(Measure("racks", 0, _MOST_RACKS))
_ROUNDS = 6
_SAME = 1e-4  # of the cost: what another round may still change
_LESS = 0.8  # of the racks that a site could not take
_ELSEWHERE = "elsewhere"
_MOST_TOGETHER = 12
_GAP_TOGETHER = 1e-4


@takes(
    _OF,
    racks=_RACKS,
    most_sites=_SITES,
    least_racks=_RACKS,
    most_racks=_RACKS,
    regions=Kind((Mapping,), "must be racks by region", "For example {'texas': (0, 5000)}."),
    where=Kind((str, Mapping), "must be an expression, or conditions by column"),
    scale=OrNone(
        Kind((str, Scale), "must be the name of a library entry, a sitedesign.library.Scale, or None")
    ),
    delay_usd_per_rack_month=Measure("USD/month", 0, 1e7),
    large_load=FLAG,
    exact=FLAG,
    certify=FLAG,
    together=FLAG,
    fleet_uptime=FLAG,
    compare=Many(_SITES, "must be numbers of sites"),
    gap=GAP,
    time_limit_s=TIME_LIMIT_S,
    progress=CALL,
)
def portfolio(
    candidates: Sites,
    study: Study | None = None,
    *,
    racks: int,
    most_sites: int | None = None,
    least_racks: int = 100,
    most_racks: int | None = None,
    regions: Mapping[str, float | tuple[float, float]] | None = None,
    ramp: Ramp | Mapping[int, int] | None = None,
    where: str | Mapping[str, Any] | None = None,
    scale: str | Scale | None = "default",
    delay_usd_per_rack_month: float = 0.0,
    large_load: bool = True,
    exact: bool = True,
    certify: bool = False,
    together: bool = False,
    fleet_uptime: bool = False,
    compare: Iterable[int] = (),
    gap: float = 1e-3,
    time_limit_s: float | None = None,
    progress: Progress | None = None,
    **question: Any,  # noqa: ANN401
) -> Portfolio:
    """Choose which of many candidate sites to build, and how large each, at least cost together.

    Every size of a plant scales with its load, so the one design of a screening gives the cost of its site at
    every size: in proportion to the racks, but for economies of scale, what a site costs whatever its size,
    and waiting. A mixed-integer program chooses over these curves; the chosen sites are then solved again at
    their sizes, and the choice is repeated with what that found, until it stays. Each site keeps its own
    uptime.

    Parameters
    ----------
    candidates : path, DataFrame, or iterable of Site or mapping
        What :func:`solve_many` returned, or its folder; or sites as it takes them, which are then screened
        with the question. Columns ``least_racks`` and ``most_racks`` bound single sites.
    study : Study, optional
        The question of the screening, needed to solve sites again unless a folder holds it; or give its
        fields as keywords, except `racks`.
    racks : int
        On all sites together.
    most_sites : int, optional
        That may be built.
    least_racks, most_racks : int, optional
        Of a site that is built; 100, and what a study may ask, when left out.
    regions : mapping of str to float or (float, float), optional
        Most, or least and most, racks in a region.
    ramp : Ramp or mapping of int to int, optional
        Racks that must have power by month, from the order on: which sites come first. A site runs all its
        racks once it has power; :func:`roadmap` builds one in stages.
    where : str or mapping, optional
        Only these candidates, as :func:`rank` takes it: ``"months_to_power <= 24"``.
    scale : str, Scale or None
        Economies of scale, see 'library list scale'; None for costs in proportion to the racks.
    delay_usd_per_rack_month : float
        What each month until a site has power costs for each of its racks, once. [USD/month]
    large_load : bool
        Whether sites with a connection wait longer from the size at which the rules of their region for large
        loads hold; costs something where a delay does.
    exact : bool
        Solve chosen sites again.
    certify : bool
        With proof under causal operation and equipment outages, where the screening was certified.
    together : bool
        Choose among at most twelve candidates with all their plants in one program: proven for whole units
        and whole racks, where curves know one design of each site. Of `scale` it counts what a site costs
        whatever its size; waiting, bounds of regions and single sites are not counted. Spare racks are those
        of all racks by share, which a small site has too few of.
    fleet_uptime : bool
        Let work move, so that all sites keep one uptime together and each may be built thinner. Chooses
        together, on measured weather of the same years at all sites only.
    compare : iterable of int
        Numbers of sites for which the least cost is found as well: one large or several small.
    gap : float
        Relative, of the choice. [fraction]
    time_limit_s : float, optional
        Of each choice. [s]
    progress : callable, optional
        Called with one line of text now and then.

    Returns
    -------
    Portfolio

    Raises
    ------
    InputError
        With every fault found, before any solver starts.
    InfeasibleDesign
        If the sites cannot hold the racks.

    Examples
    --------
    >>> fleet = sd.portfolio(sites, study, racks=30, least_racks=10, most_sites=1, exact=False)
    >>> len(fleet.sites), fleet.racks
    (1, 30)
    """
    say = progress or silent
    if study is None and question and "racks" not in question:
        question["racks"] = racks if racks < 2000 else 1000  # of the screening: any size gives the same curve
    steps, sizes = _steps(ramp, racks, together or fleet_uptime), _scale(scale)
    frame, asked_of = candidates_of(candidates, study, question, progress)
    if where is not None:
        frame = rank(frame, by="site_cost_usd_per_yr", where=where).drop(columns="rank")
    every = len(frame)
    if ramp is not None or delay_usd_per_rack_month:
        frame = _dated(frame)
    names = _region_names(frame)
    bounds = _region_bounds(regions or {}, sorted(set(names)))
    terms = Terms(
        sizes, delay_usd_per_rack_month, large_load, float(least_racks),
        float(most_racks or _most_racks(frame)),
    )  # fmt: skip
    undated = every - len(frame)
    search = _Search(frame, names, terms, bounds, steps, undated, racks, gap, time_limit_s, certify, say)
    jointly = together or fleet_uptime
    choice = (
        search.choose_together(most_sites, asked_of, moves=fleet_uptime)
        if jointly
        else search.choose(most_sites)
    )
    again = exact and asked_of is not None and not jointly
    if again:
        assert asked_of is not None
        choice = search.settle(choice, most_sites, asked_of)
    compared = [search.with_at_most(number) for number in sorted(set(compare))]
    asked = {
        "racks": racks, "most_sites": most_sites, "least_racks": least_racks, "most_racks": most_racks,
        "regions": {name: list(pair) for name, pair in bounds.items()},
        "ramp": [list(step) for step in steps],
        "where": where if isinstance(where, str | None) else str(where),
        "scale": scale.name if isinstance(scale, Scale) else scale,
        "delay_usd_per_rack_month": delay_usd_per_rack_month, "large_load": large_load,
        "exact": exact, "certify": certify, "together": jointly, "fleet_uptime": fleet_uptime, "gap": gap,
    }  # fmt: skip
    return search.result(choice, compared, asked, solved_again=again, wanted=exact)


@dataclass
class _Search:
    """Candidates with what is known of them so far, and the choice among them."""

    frame: pd.DataFrame
    regions: list[str]
    terms: Terms
    bounds: dict[str, tuple[float, float]]
    ramp: tuple[tuple[int, int], ...]
    undated: int
    racks: int
    gap: float
    time_limit_s: float | None
    certify: bool
    say: Progress
    rounds: int = 0

    def __post_init__(self) -> None:
        self.known = sorted(set(self.regions))
        self.joint_usd_per_yr: float | None = None
        self.designs: dict[tuple[int, int], Design] = {}
        self.limits_mw = {name: _large_load_mw(name) for name in self.known}

    @property
    def costs(self) -> SiteCosts:
        """Curves of the sites as they are known."""
        return site_costs(self.frame, self.terms, self.limits_mw)

    def choose(self, most_sites: int | None) -> Choice:
        """Choose by the curves."""
        numbers = {name: number for number, name in enumerate(self.known)}
        asked = Asked(
            self.racks,
            most_sites,
            np.array([numbers[name] for name in self.regions]),
            {numbers[name]: pair for name, pair in self.bounds.items()},
            self.ramp,
        )
        return choose(self.costs, asked, self.gap, self.time_limit_s)

    def choose_together(self, most_sites: int | None, question: Question | None, *, moves: bool) -> Choice:
        """Choose with the plants of all candidates in one program."""
        faults = []
        if question is None:
            remedy = "Give study=..., or the fields of it."
            faults.append(Fault("study", "nothing", "is needed to solve all sites together", remedy))
        if len(self.frame) > _MOST_TOGETHER:
            allowed = f"must be at most {_MOST_TOGETHER} to be solved together"
            remedy = "Choose by curves first, and give the sites that come near."
            faults.append(Fault("candidates", f"{len(self.frame):,} sites", allowed, remedy))
        if self.bounds:
            faults.append(Fault("regions", "bounds", "are not counted when sites are solved together"))
        if faults or question is None:
            raise InputError(faults, _OF)
        rows = [{str(k): v for k, v in self.frame.loc[site].items()} for site in range(len(self.frame))]
        costs, terms = self.costs, self.terms
        ties = Ties(
            self.racks, most_sites, terms.least_racks, terms.most_racks, costs.fixed_usd_per_yr, moves
        )
        found = choose_together(
            [study_at(question, row, self.racks) for row in rows],
            ties,
            min(self.gap, _GAP_TOGETHER),
            self.say,
        )
        self.rounds = 1
        self.joint_usd_per_yr = found.cost_usd_per_yr
        return Choice(
            np.array(found.racks, dtype=np.int64),
            found.cost_usd_per_yr,
            found.bound_usd_per_yr,
            float("nan"),
            {},
        )

    def settle(self, choice: Choice, most_sites: int | None, question: Question) -> Choice:
        """Solve chosen sites again and choose again, until the choice stays."""
        while self.rounds < _ROUNDS:
            new = [pair for pair in _built(choice) if pair not in self.designs]
            if not new:
                return choice
            self.rounds += 1
            for site, racks in new:
                self._solve(site, racks, question)
            held = float(self.costs.at(choice.racks.astype(float)).sum())
            if all(pair in self.designs for pair in _built(choice)):
                again = self.choose(most_sites)
                in_time = self.costs.keep(choice.racks, self.ramp)  # a site may come later than screened
                best = again.bound_usd_per_yr >= held * (1 - self.gap)
                if in_time and (best or again.cost_usd_per_yr >= held * (1 - _SAME)):
                    return replace(again, racks=choice.racks, cost_usd_per_yr=held)
                choice = again
            else:
                choice = self.choose(most_sites)
        return choice

    def _solve(self, site: int, racks: int, question: Question) -> None:
        """Solve one site and put what it costs in place of the screening's."""
        row = {str(name): value for name, value in self.frame.loc[site].items()}
        study = study_at(question, row, racks)
        self.say(f"solving {study.site.name} with {racks:,} racks")
        try:
            design = solve(study, certify=self.certify)
        except InfeasibleDesign:
            self.frame.loc[site, "most_racks"] = max(np.floor(_LESS * racks), 1.0)
            return
        self.designs[site, racks] = design
        found = figures(design) | {"it_mw": study.contracted_it_mw}
        for name, value in found.items():
            if name in self.frame.columns and isinstance(value, int | float):
                self.frame.loc[site, name] = value

    def with_at_most(self, most_sites: int) -> SitesAndCost:
        """Least cost with at most so many sites, by the curves."""
        try:
            choice = self.choose(most_sites)
        except InfeasibleDesign:
            return SitesAndCost(most_sites=most_sites, sites=None, cost_usd_per_yr=None)
        built = int(np.count_nonzero(choice.racks))
        return SitesAndCost(most_sites=most_sites, sites=built, cost_usd_per_yr=choice.cost_usd_per_yr)

    def result(
        self,
        choice: Choice,
        compared: list[SitesAndCost],
        asked: dict[str, Any],
        *,
        solved_again: bool,
        wanted: bool,
    ) -> Portfolio:
        """Put together what was found."""
        costs = self.costs
        racks = choice.racks
        each = costs.at(racks.astype(float))
        if self.joint_usd_per_yr is not None:  # shared out as the curves have it
            each = each * self.joint_usd_per_yr / each.sum()
        built = sorted(np.flatnonzero(racks).tolist(), key=lambda site: (-racks[site], site))
        made = Portfolio(
            racks=self.racks,
            candidates=len(self.frame),
            sites=tuple(self._site(site, int(racks[site]), float(each[site]), costs) for site in built),
            cost_usd_per_yr=float(each.sum()),
            bound_usd_per_yr=choice.bound_usd_per_yr,
            rack_price_usd_per_yr=choice.rack_usd_per_yr,
            regions=self._regions(choice),
            by_sites=tuple(compared),
            rounds=self.rounds,
            asked=asked,
            notes=tuple(
                self._notes(
                    built, racks, solved_again=solved_again, wanted=wanted, moves=asked["fleet_uptime"]
                )
            ),
        )
        made._frame = self.frame.assign(**{CHOSEN: np.where(racks > 0, racks, np.nan)})
        made._designs = {
            item.name: self.designs[site, int(racks[site])]
            for site, item in zip(built, made.sites, strict=True)
            if (site, int(racks[site])) in self.designs
        }
        return made

    def _site(self, site: int, racks: int, cost: float, costs: SiteCosts) -> ChosenSite:
        row: dict[str, Any] = {str(name): value for name, value in self.frame.loc[site].items()}
        late = racks >= costs.threshold_racks[site]
        waits = self.terms.scale or library.scale()
        return ChosenSite(
            name=str(row.get("name") or f"{row['latitude']:.2f}, {row['longitude']:.2f}"),
            region=self.regions[site],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            racks=racks,
            it_mw=float(racks * costs.mw_per_rack[site]),
            cost_usd_per_yr=cost,
            rack_usd_per_yr=cost / racks,
            months_to_power=float(row.get("months_to_power", np.nan)) + late * waits.large_load_months,
            exact=(site, racks) in self.designs or self.joint_usd_per_yr is not None,
            key=str(row.get("key", "")),
        )

    def _regions(self, choice: Choice) -> tuple[RegionShare, ...]:
        shares = []
        for number, name in enumerate(self.known):
            there = np.array([item == name for item in self.regions])
            shares.append(
                RegionShare(
                    region=name,
                    candidates=int(there.sum()),
                    sites=int(np.count_nonzero(choice.racks[there])),
                    racks=int(choice.racks[there].sum()),
                    price_usd_per_yr=choice.region_usd_per_yr.get(number),
                )
            )
        return tuple(shares)

    def _notes(
        self, built: list[int], racks: IntArray, *, solved_again: bool, wanted: bool, moves: bool
    ) -> list[str]:
        """Say what a reader of the choice must know."""
        notes = ["Each site keeps its own uptime; work is not moved between sites."]
        if self.undated:
            notes.append(
                f"{self.undated:,} candidates without months to power are left out: dates count here."
            )
        if self.joint_usd_per_yr is not None:
            told = "All sites keep one uptime together." if moves else notes[0]
            shares = (
                "Costs are proven for all sites together; those of each are shared out as the curves have it."
            )
            return [told, shares]
        if self.terms.scale is not None:
            notes.append("Exponents of scale are judgement: compare with scale=None.")
        if wanted and not solved_again:
            notes.append(
                "No site was solved again: the question of the screening is not known; give study=..."
            )
        left = [site for site in built if (site, int(racks[site])) not in self.designs]
        if solved_again and left:
            notes.append(f"{len(left)} of the chosen sites stand on their curve: the rounds ended before.")
        if self.limits_mw and self.terms.large_load and self.terms.delay_usd_per_rack_month == 0.0:
            notes.append("Waiting costs nothing here: rules for large loads decide nothing.")
        return notes


def _built(choice: Choice) -> list[tuple[int, int]]:
    """Sites that are built, with their racks."""
    return [(site, int(choice.racks[site])) for site in np.flatnonzero(choice.racks).tolist()]


def _scale(given: str | Scale | None) -> Scale | None:
    return library.scale(given) if isinstance(given, str) else given


def _region_names(frame: pd.DataFrame) -> list[str]:
    """Region of each candidate; results of before regions have none."""
    if "region" not in frame.columns:
        return [_ELSEWHERE] * len(frame)
    return [name if isinstance(name, str) and name else _ELSEWHERE for name in frame["region"].tolist()]


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    """Candidates whose months to power are known: an unknown date is neither early nor free of waiting.

    Raises
    ------
    InputError
        If there are none.
    """
    name = "months_to_power"
    known = pd.to_numeric(frame[name], errors="coerce").notna() if name in frame.columns else None
    if known is None or not known.any():
        allowed = "is needed for a ramp and for a price of waiting"
        raise InputError([Fault("candidates", f"no {name}", allowed)], _OF)
    return frame[known].reset_index(drop=True)


def _steps(
    given: Any,  # noqa: ANN401
    racks: int,
    together: bool,
) -> tuple[tuple[int, int], ...]:
    """Racks that must have power by month.

    Raises
    ------
    InputError
        If they are no ramp, or more than all racks.
    """
    if given is None:
        return ()
    steps: tuple[tuple[int, int], ...] = ramp_of(given).steps
    faults = []
    if steps[-1][1] > racks:
        faults.append(Fault("ramp", f"{steps[-1][1]:,} racks", f"must be at most all {racks:,} racks"))
    if together:
        faults.append(Fault("ramp", "a ramp", "is not counted when sites are solved together"))
    if faults:
        raise InputError(faults, _OF)
    return steps


def _region_bounds(given: Mapping[str, Any], known: list[str]) -> dict[str, tuple[float, float]]:
    """Least and most racks by region.

    Raises
    ------
    InputError
        For regions without candidates and bounds that are none.
    """
    faults, found = [], {}
    for name, value in given.items():
        if name not in known:
            faults.append(unknown_name("regions", str(name), known))
            continue
        cleaned = _REGION_RACKS.clean(value)
        wrong = _REGION_RACKS.faults(f"regions.{name}", cleaned)
        faults += wrong
        if not wrong:
            found[name] = (float(cleaned[0]), float(cleaned[1]))
    if faults:
        raise InputError(faults, _OF)
    return found


def _most_racks(frame: pd.DataFrame) -> float:
    """Racks of the largest load that a study may ask."""
    return float(np.floor(MOST_IT_MW * (frame["contracted_racks"] / frame["it_mw"]).min()))


def _large_load_mw(region: str) -> float | None:
    """Size from which rules for large loads hold; None where no rule is known. [MW]"""
    return library.region(region).large_load_mw if region in library.names("region") else None
