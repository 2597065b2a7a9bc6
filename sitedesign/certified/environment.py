"""What a plant of a study meets in operation, by its library entries, and who runs it by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from sitedesign.case.build import StudyCase
from sitedesign.certified.scenario_years import temperature_of_many_years_c
from sitedesign.library import Fuel
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, climatology
from sitedesign.operation.outages.sampling import BlockOutages, OutageModel, UnitOutages
from sitedesign.operation.rack_restart import Restart
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.study.study import Study
from sitedesign.study.unit_rules import UnitRules

Metric = Literal["rack", "compute", "site", "floor"]
THROTTLING_Z_SCORE = 0.5  # standard deviations of the forecast's error


def metric_key(metric: Metric) -> Metric:
    """Name of the figure among the uptime metrics that a study's target is for.

    ``rack`` and ``compute`` are one figure: their difference lies in the tiers of the load.
    """
    return "rack" if metric == "compute" else metric


def environment_of(study_case: StudyCase, forecast: Forecast | None = None) -> OperatingEnvironment:
    """Take every rate of a study's environment from its library entries."""
    study = study_case.study
    fuels = {str(item.fuel): study.fuel(item) for item in study.backup}
    return OperatingEnvironment(
        outages=_outages(study_case, fuels),
        unit_behaviours=tuple(
            UnitBehaviour.from_library(
                item,
                study.fuel(item),
                study.facility,
                study.co2_price_usd_per_t,
                study.second_fuel(item),
                rules=study.unit_rules.get(item.name),
                ride_through=study.ride_through != "none",
                delivered_mmbtu_per_h=study.delivered_mmbtu_per_h(item),
            )
            for item in study.backup
        ),
        forecast=forecast or Forecast(),
        climatology=climatology(study_case.case, study_case.weather.temp_air_c.ravel()).with_many_years(
            temperature_of_many_years_c(study_case)
        ),
        restart=Restart.from_library(study.rack),
        ride_through_failure=(
            study.facility.ride_through_failure_probability if study.ride_through == "ups" else 0.0
        ),
    )


def _outages(study_case: StudyCase, fuels: Mapping[str, Fuel]) -> OutageModel:
    """Take every rate of failure from library entries, without what the series of the case already show."""
    study, supply = study_case.study, study_case.grid
    outages = OutageModel.from_library(
        study.backup, fuels, study.battery, study.pv, study.facility, study.wind
    )
    units = (
        _own_calendar(item, study.unit_rules.get(name))
        for item, name in zip(outages.units, (backup.name for backup in study.backup), strict=True)
    )
    outages = replace(outages, units=tuple(units))
    if study.solar_profile is not None:
        # An own profile is what the array delivers, outages of its blocks included: none on top of it
        outages = replace(outages, solar=BlockOutages(), solar_mean_availability=1.0)
    aloft = study_case.weather.wind_aloft
    if aloft is not None and aloft.humidity_fraction is not None:
        # Where the weather carries humidity, ice stops the farm in the yield itself
        farms = tuple(replace(farm, icing_per_cold_day=0.0) for farm in outages.farms)
        outages = replace(outages, farms=farms)
    if study.grid is not None and supply is not None:
        outages = replace(
            outages,
            called_h_per_yr=supply.state.called_h_per_yr(study_case.case.step_h),
            wires_h_per_yr=study.grid.wires.hours_per_yr,
        )
    return outages


def _own_calendar(unit: UnitOutages, rules: UnitRules | None) -> UnitOutages:
    """Maintain units by the calendar of a study where it has one."""
    if rules is None or not rules.own_calendar:
        return unit
    return replace(unit, planned_outage_fraction=0.0, maintenance_weeks=rules.maintenance_weeks)


def default_controller(study: Study) -> Controller:
    """Rule of operation where none was tuned or given.

    A throttled plant lowers its forecast little: to throttle early for clouds that mostly stay away costs
    more compute than it saves. Where power is bought or sold, its price decides what is stored and when.
    """
    rule = Controller("marginal_value" if study.grid is not None or study.surplus else "latest_safe_start")
    return replace(rule, forecast_z_score=THROTTLING_Z_SCORE) if study.metric == "compute" else rule
