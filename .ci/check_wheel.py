"""Check what a built wheel holds: one package, its data, nothing else.

Usage: python .ci/check_wheel.py WHEEL
"""

import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent
WANTED = (
    "sitedesign/py.typed",
    "sitedesign/batch/map.html",
    "sitedesign/report/template/report.html.j2",
    "sitedesign/report/template/report.css",
    "sitedesign/report/template/report.js",
)


def faults_of(names: set[str]) -> list[str]:
    """Say what is missing from the names in a wheel, or should not be there."""
    tops = {name.split("/")[0] for name in names}
    faults = [f"unexpected at the top: {top}" for top in sorted(tops) if not top.startswith("sitedesign")]
    faults += [f"not the package and its metadata: {sorted(tops)}"] if len(tops) != 2 else []
    data = [*(ROOT / "models").rglob("*.toml"), *(ROOT / "weather" / "climate").glob("*.csv")]
    wanted = [*WANTED, *(f"sitedesign/_library/{path.relative_to(ROOT).as_posix()}" for path in data)]
    wanted += [path.relative_to(ROOT).as_posix() for path in (ROOT / "sitedesign").rglob("*.py")]
    faults += [f"missing: {name}" for name in sorted(wanted) if name not in names]
    unwanted = [name for name in names if name.endswith(".pyc") or "/tests/" in name]
    return faults + [f"unwanted: {name}" for name in sorted(unwanted)]


if __name__ == "__main__":
    with ZipFile(sys.argv[1]) as wheel:
        found = faults_of(set(wheel.namelist()))
    if found:
        sys.exit("\n".join(["The wheel is wrong:", *found]))
    print(f"{Path(sys.argv[1]).name}: content is right")
