"""Write the versions installed in this environment, of all that the package and its tests need.

Usage: python .ci/constraints.py  # by .ci/run --write-constraints, after everything passed
"""

import platform
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "constraints.txt"
EXTRAS = ("serve", "excel", "map", "test")


def asked() -> list[str]:
    """List what the project asks for, with the extras that its tests need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return sum((project["optional-dependencies"][extra] for extra in EXTRAS), project["dependencies"])


def needed() -> dict[str, str]:
    """Find the version of everything that is asked for, directly or not, and installed."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    todo = [Requirement(text) for text in asked()]
    seen = set(map(str, todo))
    while todo:
        one = todo.pop()
        try:
            installed = distribution(one.name)
        except PackageNotFoundError:  # for another system
            continue
        found[re.sub(r"[-_.]+", "-", one.name).lower()] = installed.version
        for text in installed.requires or ():
            further = Requirement(text)
            for extra in {"", *one.extras}:
                if further.marker is None or further.marker.evaluate({"extra": extra}):
                    todo += [] if str(further) in seen else [further]
                    seen.add(str(further))
    return found


if __name__ == "__main__":
    versions = "".join(f"{name}=={version}\n" for name, version in sorted(needed().items()))
    where = f"Python {platform.python_version()} on {platform.system()}"
    head = f"# Versions on which all tests passed, with {where}.\n# Written by: .ci/run --write-constraints\n"
    FILE.write_text(head + versions, encoding="utf-8")
    print(f"{FILE.name}: {versions.count('==')} versions")
