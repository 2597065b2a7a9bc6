"""What is compiled beside the solver is what the search runs, and nothing is compiled twice."""

from __future__ import annotations

import pytest

import sitedesign as sd
from sitedesign.case import Plant
from sitedesign.certification import block_of, setting_of
from sitedesign.judge import Judge
from sitedesign.prepare import prepare
from sitedesign.reliability import kernel, restart
from sitedesign.reliability.ahead import compile_ahead
from sitedesign.reliability.machine import Controller

SITE = sd.Site(latitude=31.76, longitude=-106.49)
KERNELS = (kernel.simulate, restart._restarts)


@pytest.mark.parametrize("backup", [["recip_fast", "diesel"], []])
def test_a_search_compiles_nothing_more(backup):
    study = sd.Study(site=SITE, racks=70, uptime=0.9, backup=backup, weather_years=2)
    prepared = prepare(study)
    setting = setting_of(prepared)
    compile_ahead(prepared.case, setting.restart).join()
    known = [set(item.signatures) for item in KERNELS]
    assert all(known)
    judge = Judge([block_of(prepared)], setting, "rack", seed=1, draws=2)
    plant = Plant(20.0, 60.0, 10.0, (1,) * len(backup), 72)
    assert judge.exact(plant, Controller()).cost_usd_per_yr > 0
    assert [set(item.signatures) for item in KERNELS] == known
