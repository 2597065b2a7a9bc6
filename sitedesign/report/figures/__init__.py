"""Figures of a result: each is a function that returns a plotly figure, beside one that returns its data.

>>> from sitedesign.report import figures
>>> figures.worst_week(design).show()                       # doctest: +SKIP
>>> figures.dispatch_week_data(design, day=355, year=17)    # doctest: +SKIP
"""

from sitedesign.report.figures.cost import cost_breakdown, cost_breakdown_data, gap_by_part, gap_by_part_data
from sitedesign.report.figures.dispatch import dispatch_week, dispatch_week_data, worst_week
from sitedesign.report.figures.duration import duration_curves, duration_curves_data
from sitedesign.report.figures.finance import (
    cash_by_year,
    cash_by_year_data,
    price_waterfall,
    price_waterfall_data,
)
from sitedesign.report.figures.lives import (
    capacity_by_year,
    capacity_by_year_data,
    uptime_by_age,
    uptime_by_age_data,
)
from sitedesign.report.figures.nearly_as_good import nearly_as_good, nearly_as_good_data
from sitedesign.report.figures.roadmap import (
    roadmap_cash,
    roadmap_cash_data,
    roadmap_comparison,
    roadmap_comparison_data,
    roadmap_gantt,
    roadmap_gantt_data,
    roadmap_power,
)
from sitedesign.report.figures.roadmap_dates import (
    roadmap_racks_on_dates,
    roadmap_racks_on_dates_data,
    roadmap_value_on_dates,
    roadmap_value_on_dates_data,
)
from sitedesign.report.figures.site_plan import site_plan, site_plan_data
from sitedesign.report.figures.style import dark
from sitedesign.report.figures.tornado import tornado, tornado_data
from sitedesign.report.figures.tradeoff import (
    cost_of_next_nine,
    cost_of_next_nine_data,
    panels_against_batteries,
    panels_against_batteries_data,
    renewable_frontier,
    renewable_frontier_data,
)
from sitedesign.report.figures.uptime import (
    certified_against_promised,
    certified_against_promised_data,
    certified_by_year,
    certified_by_year_data,
    uptime_by_cause,
    uptime_by_cause_data,
    uptime_by_year,
    uptime_by_year_data,
)
from sitedesign.report.figures.weather import low_resource_data, weather_years, weather_years_data
from sitedesign.report.figures.year import year_at_a_glance, year_at_a_glance_data

__all__ = [
    "capacity_by_year",
    "capacity_by_year_data",
    "cash_by_year",
    "cash_by_year_data",
    "certified_against_promised",
    "certified_against_promised_data",
    "certified_by_year",
    "certified_by_year_data",
    "cost_breakdown",
    "cost_breakdown_data",
    "cost_of_next_nine",
    "cost_of_next_nine_data",
    "dark",
    "dispatch_week",
    "dispatch_week_data",
    "duration_curves",
    "duration_curves_data",
    "gap_by_part",
    "gap_by_part_data",
    "low_resource_data",
    "nearly_as_good",
    "nearly_as_good_data",
    "panels_against_batteries",
    "panels_against_batteries_data",
    "price_waterfall",
    "price_waterfall_data",
    "renewable_frontier",
    "renewable_frontier_data",
    "roadmap_cash",
    "roadmap_cash_data",
    "roadmap_comparison",
    "roadmap_comparison_data",
    "roadmap_gantt",
    "roadmap_gantt_data",
    "roadmap_power",
    "roadmap_racks_on_dates",
    "roadmap_racks_on_dates_data",
    "roadmap_value_on_dates",
    "roadmap_value_on_dates_data",
    "site_plan",
    "site_plan_data",
    "tornado",
    "tornado_data",
    "uptime_by_age",
    "uptime_by_age_data",
    "uptime_by_cause",
    "uptime_by_cause_data",
    "uptime_by_year",
    "uptime_by_year_data",
    "weather_years",
    "weather_years_data",
    "worst_week",
    "year_at_a_glance",
    "year_at_a_glance_data",
]
