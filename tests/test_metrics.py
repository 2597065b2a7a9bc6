"""What uptime figures can get wrong: a missing error, a wrong denominator, a bound that is too kind."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sitedesign.case.dispatch import Dispatch
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.events import find_events, start_label, worst_events
from sitedesign.reliability.metrics import YearTable, metrics_of_years, uptime_metrics, without_hours
from tests import cases


def case_of(shed, load, years, step_h=1.0, lost=None, availability=1.0):
    shed, load = np.asarray(shed, float), np.asarray(load, float)
    zero = np.zeros(load.size)
    case = cases.case(
        zero, load, step_h=step_h, years=years, backup=(), rack_availability=availability, uptime_target=0.9
    )
    lost = shed / load if lost is None else np.asarray(lost, float)
    return case, Dispatch(zero, zero, zero, shed, zero, np.zeros((0, load.size)), lost)


def test_every_metric_of_a_record_counted_by_hand():
    # Two years of eight half hours; loads 10 and 20 MW; 5 MW shed twice in a row, 15 MW once
    load = [10.0] * 8 + [20.0] * 8
    shed = np.array([[0, 5, 5, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 15, 0, 0]]).ravel()
    case, dispatch = case_of(shed, load, 2, step_h=0.5)
    m = uptime_metrics(case, dispatch, seed=3)
    assert m.rack.value == pytest.approx(1 - 12.5 / 120)
    assert m.rack_by_clock.value == pytest.approx(1 - (0.5 * 0.5 * 2 + 0.75 * 0.5) / 8)
    assert m.site.value == pytest.approx(1 - 1.5 / 8)
    assert m.floor.value == pytest.approx(1 - 1.5 / 8)
    assert m.lolh_h_per_yr.value == pytest.approx(1.5 / 2)
    assert m.eue_mwh_per_yr.value == pytest.approx(12.5 / 2)
    assert m.neue_ppm.value == pytest.approx(1e6 * 12.5 / 120)
    assert m.events_per_yr.value == pytest.approx(1.0)
    assert m.longest_h.value == pytest.approx(1.0)
    assert (m.worst_year_row, m.worst_year.value) == (0, pytest.approx(1 - 5 / 40))
    assert m.rack.samples == 2
    assert m.rack.standard_error > 0
    assert m.rack.seed == 3


def test_floor_counts_only_deep_sheds():
    case, dispatch = case_of([4, 4.1, 0, 0], [10.0] * 4, 1)
    assert uptime_metrics(case, dispatch).floor.value == pytest.approx(0.75)


def test_rack_metric_subtracts_the_shortfall_of_working_racks():
    case, dispatch = case_of([1, 0, 0, 0], [10.0] * 4, 2, availability=0.9)
    m = uptime_metrics(case, dispatch, racks=10)
    assert m.rack.value == pytest.approx(1 - 1 / 40 - 0.1)
    assert m.compute.value == pytest.approx(1 - 1 / 40)


def test_one_year_has_no_error_and_says_so():
    case, dispatch = case_of([1, 0, 0, 0], [10.0] * 4, 1)
    rack = uptime_metrics(case, dispatch).rack
    assert math.isnan(rack.standard_error)
    assert not rack.met(0.5)
    assert str(rack) == "0.975 (one weather year: no error known)"


def test_rule_of_three_when_nothing_was_seen():
    case, dispatch = case_of(np.zeros(8760 * 3), np.full(8760 * 3, 10.0), 3)
    m = uptime_metrics(case, dispatch)
    assert m.events_per_yr.upper_bound(0.95) == pytest.approx(-math.log(0.05) / 3)
    assert m.lolh_h_per_yr.upper_bound(0.95) == pytest.approx(-math.log(0.05) * 12 / 3)
    assert m.site.lower_bound(0.95) == pytest.approx(1 + math.log(0.05) * 12 / (3 * 8760))
    assert m.rack.met(0.998)
    assert not m.rack.met(0.9999)
    assert "no loss seen" in str(m.rack)


def test_estimate_prints_its_interval():
    # Half the interval is Student's t of 19 degrees of freedom, 2.093 errors
    assert str(Estimate(0.999123, 0.00042, 20, 1)) == "0.99912 (0.99824 to 1.00000)"
    assert str(Estimate(123.46, 17.2, 20, 1)) == "123 (87 to 159)"
    assert str(Estimate(0.5, 0.0096, 20, 1)) == "0.500 (0.480 to 0.520)"
    assert Estimate(0.5, 0.0096, 20, 1).text(100, " %") == "50.0 % (48.0 to 52.0)"
    assert str(Estimate(0.5, 0.0, 20, 1)) == "0.5"


def test_negative_error_is_refused():
    with pytest.raises(ValueError, match=r"standard_error: got -0.1; must be 0 or more"):
        Estimate(1.0, -0.1, 3, 0)


def test_bounds_are_exact_for_poisson_counts():
    # 4 events in 10 years: exact one-sided 95 % upper limit is 9.154 events (Garwood 1936)
    rate = Estimate(0.4, 0.2, 10, 0, loss_free_value=0.0, largest_contribution=0.1)
    assert rate.upper_bound(0.95) == pytest.approx(0.9154, abs=1e-3)
    assert rate.lower_bound(0.95) == pytest.approx(0.1366, abs=1e-3)
    uptime = Estimate(1 - 0.4, 0.2, 10, 0, loss_free_value=1.0, largest_contribution=0.1)
    assert uptime.lower_bound(0.95) == pytest.approx(1 - 0.9154, abs=1e-3)


@pytest.mark.parametrize(
    ("rate", "years"),
    [
        (0.3, 30),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((2.0, 30), (0.05, 200), (1.0, 200))),
    ],
)
def test_one_sided_bound_covers_the_truth_about_95_times_in_100(rate, years):
    # Compound Poisson years: lognormal losses, as a few dark spells give
    rng = np.random.Generator(np.random.PCG64(11))
    truth, covered, repeats = rate * math.exp(0.5 * 0.8**2), 0, 400
    for seed in range(repeats):
        counts = rng.poisson(rate, years)
        loss = np.array([rng.lognormal(0.0, 0.8, n).sum() for n in counts])
        flat = np.ones(years)
        table = YearTable(
            np.arange(years), flat * 8760, flat * 1e5, loss, loss, loss, loss, loss, counts * 1.0, loss
        )
        covered += metrics_of_years(table, 0.0, seed).eue_mwh_per_yr.upper_bound(0.95) >= truth
    assert 0.92 <= covered / repeats <= 1.0


def test_years_that_share_their_weather_are_resampled_together():
    loss = np.repeat([0.0, 10.0, 0.0, 0.0, 20.0, 1.0], 5)
    flat = np.ones(loss.size)
    args = (flat * 8760, flat * 1e5, loss, loss, loss, loss, loss, flat, loss)
    apart = metrics_of_years(YearTable(np.arange(loss.size), *args), 0.0).eue_mwh_per_yr
    together = metrics_of_years(YearTable(np.repeat(np.arange(6), 5), *args), 0.0).eue_mwh_per_yr
    assert together.value == apart.value
    assert together.samples == 6
    assert together.standard_error > 2 * apart.standard_error


def test_nothing_served_is_an_uptime_of_zero():
    """Broken racks are taken off what is served, of which there may be less."""
    load = np.full(2 * 8760, 10.0)
    case, dispatch = case_of(load, load, 2, availability=0.98)
    metrics = uptime_metrics(case, dispatch, racks=case.racks_contracted)
    for figure in (metrics.rack, metrics.rack_by_clock, metrics.worst_year):
        assert figure.value == figure.lower_bound() == 0.0
    half = np.tile([10.0, 0.0], 8760)
    metrics = uptime_metrics(*case_of(half, load, 2, availability=0.98), racks=case.racks_contracted)
    assert metrics.rack.value == pytest.approx(0.48, abs=1e-3)


def test_same_seed_gives_the_same_error():
    loss = np.arange(20.0)
    table = YearTable(np.arange(20), *(np.ones(20) * 8760,) * 2, *(loss,) * 7)
    assert metrics_of_years(table, 0.0, 5) == metrics_of_years(table, 0.0, 5)
    assert metrics_of_years(table, 0.0, 5).rack != metrics_of_years(table, 0.0, 6).rack


def test_events_are_spells_with_dates_even_across_new_year():
    shed = np.zeros(2 * 8760)
    shed[8758:8763], shed[100] = [1, 2, 3, 2, 1], 4
    case, dispatch = case_of(shed, np.full(shed.size, 10.0), 2)
    events = find_events(case.load_mw, shed, dispatch.lost_compute, 1.0, 2)
    assert [(e.duration_h, e.shed_mwh, e.depth) for e in events] == [(1, 4, 0.4), (5, 9, 0.3)]
    table = worst_events(case, dispatch)
    assert list(table.start) == ["year 1, 12-31 22:00", "year 1, 01-05 04:00"]
    metrics = uptime_metrics(case, dispatch)
    assert (metrics.events_per_yr.value, metrics.longest_h.value) == (1.0, 5.0)


def test_start_label_reads_a_365_day_year():
    assert start_label(59 * 24, 8760, 1.0) == "year 1, 03-01 00:00"
    assert start_label(35040 + 3, 35040, 0.25) == "year 2, 01-01 00:45"


def test_a_bound_counts_no_hours():
    case, dispatch = case_of([1, 0, 0, 2], [10.0] * 4, 2)
    counted = uptime_metrics(case, dispatch)
    bare = without_hours(counted)
    for name in ("site", "floor", "lolh_h_per_yr", "events_per_yr", "longest_h"):
        assert math.isnan(getattr(bare, name).value)
    for name in ("rack", "compute", "energy", "eue_mwh_per_yr", "neue_ppm", "worst_year"):
        assert getattr(bare, name) == getattr(counted, name)


@pytest.mark.parametrize("most", [1, 3, 200])
def test_of_many_events_those_that_lost_most_compute_are_listed_in_order_of_time(most: int) -> None:
    rng = np.random.default_rng(4)
    load = rng.uniform(50.0, 100.0, 2 * 8760)
    shed = load * (rng.random(load.size) < 0.02)
    shed[[0, -1]] = load[[0, -1]]  # one begins with the record, one ends with it
    lost = rng.random(load.size) * (shed > 0.0)
    everything = find_events(load, shed, lost, 1.0, 2)
    assert len(everything) > 200
    worst = sorted(everything, key=lambda event: -event.lost_mwh)[:most]
    assert find_events(load, shed, lost, 1.0, 2, most) == sorted(worst, key=lambda event: event.start_step)
