"""Files out of the paths that somebody gives, and faults of many files told as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sitedesign.errors import Fault


def expand(paths: Sequence[Path]) -> tuple[list[Path], set[Path], list[Fault]]:
    """Files in order, those named one by one, and faults of missing paths."""
    files: list[Path] = []
    explicit: set[Path] = set()
    faults: list[Fault] = []
    for path in map(Path, paths):
        if path.is_dir():
            try:
                inside = sorted(
                    item for item in path.iterdir() if item.is_file() and not item.name.startswith(".")
                )
            except OSError as error:
                found = f"a folder that cannot be read ({error.strerror})"
                faults.append(Fault(str(path), found, "must be readable"))
                continue
            files += inside
            if not inside:
                faults.append(Fault(str(path), "an empty folder", "needs at least one weather file"))
        elif path.is_file():
            files.append(path)
            explicit.add(path)
        else:
            faults.append(
                Fault(str(path), "no such file or folder", "must exist", "Check the path for typing errors.")
            )
    return list(dict.fromkeys(files)), explicit, faults


def merged(faults: Sequence[Fault]) -> list[Fault]:
    """One line for many files with the same fault (a year of daily files has 365)."""
    groups: dict[tuple[str, str, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.found, fault.allowed, fault.remedy), []).append(fault)
    merged: list[Fault] = []
    for (found, allowed, remedy), same in groups.items():
        many = f" and {len(same) - 1} more" if len(same) > 1 else ""
        merged.append(Fault(f"{same[0].where}{many}", found, allowed, remedy))
    return merged
