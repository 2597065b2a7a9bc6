"""Every number of the library is read by the package, or says in its file that nothing reads it yet."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sitedesign as sd
from sitedesign import library
from sitedesign.case.build import build_case
from sitedesign.library.files import KINDS, entry, load, names
from sitedesign.library.number import NOTHING_YET
from tests.library_readers import reads_of, trees


def all_numbers() -> set[tuple[str, str]]:
    return {(kind, field) for kind, cls in KINDS.items() for field in cls.numbers()}


def test_every_number_has_a_reader_or_says_that_it_has_none() -> None:
    read = reads_of(trees())
    for kind, field in sorted(all_numbers()):
        marks = {entry(kind, name).used_by(field) for name in names(kind)}
        where = f"models/{kind}: {field}"
        if (kind, field) in read:
            assert marks == {""}, f"{where} is read: take its used_by away"
        else:
            assert marks == {NOTHING_YET}, f'{where} is read by no code: write used_by = "{NOTHING_YET}"'


# The detector itself ----------------------------------------------------------------------------------------

PLANT = """
class Study:
    pv: Pv
    battery: Battery
    backup: tuple[Backup, ...]
    power_paths: tuple[tuple[Pv, Battery], ...] = ()
    @property
    def usual(self) -> Finance: ...
    def fuel(self, backup: Backup) -> Fuel: ...

class Case:
    lead_months: float
    backup: tuple[BackupCase, ...]

class BackupCase:
    life_yr: float
"""
READS = {
    "def f(pv: Pv): return pv.life_yr": {("pv", "life_yr")},
    "def f(case: Case, study: Study): return case.lead_months": set(),
    "def f(case: Case): return [item.life_yr for item in case.backup]": set(),
    "def f(study: Study): return [item.life_yr for item in study.backup]": {("backup", "life_yr")},
    "def f(study: Study): return study.fuel(study.backup[0]).storage_h": {("fuel", "storage_h")},
    "def f(study: Study):\n  rules = study.usual\n  return rules.tax_fraction": {("finance", "tax_fraction")},
    "def f(study: Study):\n  for a, b in zip(study.backup, [1]): a.unit_mw": {("backup", "unit_mw")},
    "def f(study: Study):\n  for pv, battery in study.power_paths: battery.life_yr": {("battery", "life_yr")},
    "def f(x: Battery | None): return getattr(x, 'fade_per_yr')": {("battery", "fade_per_yr")},
    "def f(x: Rack, n): return getattr(x, f'swap_{n}')": {("rack", "swap_repair_h")},
    "def f(x): return x.fade_per_yr": set(),
    "def f(x: Battery): x = 'fade_per_yr'  # battery.fade_per_yr": set(),
}  # fmt: skip


@pytest.mark.parametrize("code", READS)
def test_reads_are_told_by_the_class_of_what_is_accessed(code: str) -> None:
    found = reads_of([ast.parse(PLANT), ast.parse(code)])
    assert found & all_numbers() == READS[code]


# The mark ---------------------------------------------------------------------------------------------------


def test_the_mark_is_shown_and_stays_with_a_number_that_is_changed(tmp_path: Path) -> None:
    fixed = library.pv("fixed_ac")
    assert fixed.used_by("module_efficiency") == NOTHING_YET
    assert fixed.used_by("capex_usd_per_wdc") == ""
    table = library.show("pv", "fixed_ac")
    assert "used by: nothing yet" in str(table)
    assert table.to_frame()["used_by"]["module_efficiency"] == NOTHING_YET
    assert fixed.replace(module_efficiency=0.2).used_by("module_efficiency") == NOTHING_YET
    assert library.pv("fixed_dc").used_by("module_efficiency") == NOTHING_YET
    own = tmp_path / "own.toml"
    own.write_text('kind = "pv"\nextends = "fixed_ac"\ntitle = "mine"\nmodule_efficiency = 0.2\n')
    assert load(own).used_by("module_efficiency") == NOTHING_YET


def test_the_mark_is_one_text_and_no_other(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'kind = "pv"\nextends = "fixed_ac"\n'
        '[module_efficiency]\nvalue = 0.2\nunit = "fraction"\nused_by = "me"\n'
    )
    with pytest.raises(sd.InputError, match="used_by: got 'me'; must be 'nothing yet', or left out"):
        load(own)


def test_a_study_says_that_a_number_was_set_in_vain() -> None:
    question = {
        "site": sd.Site(latitude=31.76, longitude=-106.49),
        "racks": 10,
        "uptime": 0.99,
        "weather_years": 1,
    }
    pv, diesel = library.pv("fixed_ac"), library.backup("diesel")
    silent = build_case(sd.Study(pv=pv.replace(life_yr=31), backup=[diesel], **question)).notes
    told = build_case(sd.Study(pv=pv.replace(module_efficiency=0.2), backup=[diesel], **question)).notes
    said = "pv fixed_ac: module_efficiency changed, but nothing reads it yet: no answer changes."
    assert said in told
    assert not any("nothing reads it" in note for note in silent)
