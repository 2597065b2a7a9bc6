"""Study files: what is read, and how every fault is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sitedesign as sd
from sitedesign.study.toml_file import write_template

PLACE = "[site]\nlatitude = 31.76\nlongitude = -106.49\n"
LOAD = "racks = 16\nuptime = 0.99\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, **changes: object) -> dict[str, sd.Fault]:
    with pytest.raises(sd.InputError) as caught:
        sd.read_study(path, **changes)
    return {fault.where.replace(str(path), "FILE"): fault for fault in caught.value.faults}


def test_the_template_is_the_study_that_it_says(tmp_path: Path) -> None:
    path = write_template(
        tmp_path / "s.toml", latitude=40, longitude=-100.5, name='A "quoted" place', racks=9
    )
    study = sd.read_study(path)
    site = sd.Site(latitude=40, longitude=-100.5, name='A "quoted" place')
    assert study == sd.Study(site=site, racks=9, uptime=0.999)


def test_every_setting_of_the_template_is_one(tmp_path: Path) -> None:
    """Each setting that is commented out can be taken as it stands."""
    text = write_template(tmp_path / "s.toml").read_text(encoding="utf-8")
    known = {*sd.Study.model_fields}
    for setting in re.findall(r"^#([a-z_]+) = ", text.split("[site]")[0], flags=re.M):
        assert setting in known
    text = re.sub(
        r"^#(?=(weather|\w+_profile|battery|it_mw|gpus|throughput|lost_compute_usd_per_rack_h"
        r"|tank_choices_h) =)",
        "# ",
        text,
        flags=re.M,
    )
    open_text = re.sub(r"^#(?=[a-z_\[])", "", text.split("# Several kinds")[0], flags=re.M)
    study = sd.read_study(written(tmp_path, open_text))
    assert study.battery.capex_usd_per_kwh == 140
    assert study.limits.units == {"recip_medium": (0, 12)}
    classes = re.sub(r"^#(?=[a-z_\[])", "", text.split("# Several kinds")[1], flags=re.M).split("\n", 1)[1]
    study = sd.read_study(written(tmp_path, PLACE + classes))
    assert [item.racks for item in study.classes] == [200, 500]


def test_no_file_is_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, "mine")
    with pytest.raises(sd.InputError, match="which is there"):
        write_template(path)
    assert path.read_text() == "mine"


def test_all_faults_name_file_table_and_key(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'uptim = 0.99\nbackup = ["recip_medum"]\nracks = 3\nuptime = 9.99\n'
        "[site]\nlatitude = 131\nlongitude = 5\nmetric = 'rack'\n[limits]\nsolar = 3\n"
        "[battery]\nextends = 'lfp'\ncapex_usd_per_kw = -3\n",
    )
    found = faults(path)
    assert set(found) == {
        "FILE uptim",
        "FILE backup[0]",
        "FILE uptime",
        "FILE [site] latitude",
        "FILE [site] metric",
        "FILE [limits] solar",
        "FILE [battery] capex_usd_per_kw",
    }
    assert found["FILE uptim"].remedy == "Did you mean 'uptime'?"
    assert "above the first [table]" in found["FILE [site] metric"].remedy


def test_faults_of_changes_are_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, LOAD + PLACE + "[limits]\nsolar_mw = -1\n")
    wrong = faults(path, limits={"solr": 3}, metric="x")
    assert set(wrong) == {"study.limits.solr", "study.metric", "FILE [limits] solar_mw"}
    assert set(faults(path)) == {"FILE [limits] solar_mw"}


def test_a_fault_in_one_of_several_tables_is_counted(tmp_path: Path) -> None:
    classes = '[[classes]]\nname = "a"\nracks = 1\nuptime = 0.9\n[[classes]]\nname = "b"\nracks = 0\n'
    assert set(faults(written(tmp_path, PLACE + classes))) == {"FILE [[classes]] 2 racks"}


def test_changes_replace_single_keys(tmp_path: Path) -> None:
    text = LOAD + PLACE + "name = 'x'\n[limits]\nsolar_mw = 20\n[limits.units]\nrecip_medium = 2\n"
    changes = {"solar_mw": 30, "land_acres": 500, "units": {"diesel": 1}}
    study = sd.read_study(written(tmp_path, text), limits=changes, site={"name": "y"}, gpus=720)
    assert study.limits.solar_mw == (0, 30)
    assert study.limits.land_acres == 500
    assert study.limits.units == {"recip_medium": (0, 2), "diesel": (0, 1)}
    assert (study.site.name, study.site.latitude) == ("y", 31.76)
    assert (study.racks, study.contracted_racks) == (None, 10)


def test_files_start_from_the_folder_of_the_study(tmp_path: Path) -> None:
    site = sd.Site(latitude=31.76, longitude=-106.49)
    sd.Weather.generate(site, years=1).write(tmp_path / "year.csv")
    (tmp_path / "cell.toml").write_text(
        'kind = "battery"\nextends = "lfp"\ntitle = "mine"\ncapex_usd_per_kwh = 99\n'
    )
    study = sd.read_study(written(tmp_path, LOAD + 'weather = "year.csv"\nbattery = "cell.toml"\n'))
    assert study.battery.capex_usd_per_kwh == 99
    assert study.weather is not None
    assert study.site.latitude == 31.76  # named by the weather file
    assert "nowhere.csv" in next(
        iter(faults(written(tmp_path, LOAD + PLACE.replace("[site]", 'weather = "nowhere.csv"\n[site]'))))
    )


@pytest.mark.parametrize("text", ["racks = 1,000", "name = El Paso", "[site\n"])
def test_what_is_not_toml_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    (fault,) = faults(written(tmp_path, text)).values()
    assert "at line 1" in fault.found
