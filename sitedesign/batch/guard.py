"""Whether the calling script may start workers: they import it again, and must not start the batch again."""

from __future__ import annotations

import ast
import multiprocessing
import sys
from pathlib import Path
from types import FrameType

from sitedesign.errors import Fault, InputError


def check_main_guard() -> None:
    """Refuse to start workers from a script whose import would start them again.

    Raises
    ------
    InputError
        With the line of the script, before any process is started.
    """
    frame = _script()
    imported_by_worker = getattr(multiprocessing.current_process(), "_inheriting", False)
    if not imported_by_worker and (frame is None or _guarded(frame)):
        return
    place = "a script" if frame is None else f"{Path(frame.f_code.co_filename).name} line {frame.f_lineno}"
    found = f"a call in {place} outside of a guard"
    allowed = "workers import the script, and would start the batch again"
    remedy = 'Put the call below the line: if __name__ == "__main__":'
    raise InputError([Fault("solve_many()", found, allowed, remedy)], "solve_many()")


def _script() -> FrameType | None:
    """Find the frame of the script that workers would import, if there is one; a console has none."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        main = frame.f_globals.get("__name__") == "__main__" and frame.f_code.co_name == "<module>"
        package = str(getattr(frame.f_globals.get("__spec__"), "name", "")).endswith("__main__")
        if main and not package and Path(frame.f_code.co_filename).is_file():
            return frame
        frame = frame.f_back
    return None


def _guarded(frame: FrameType) -> bool:
    """Whether the line of a script that is being run stands below a question for ``__name__``."""
    try:
        script = ast.parse(Path(frame.f_code.co_filename).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    return any(
        isinstance(name, ast.Name) and name.id == "__name__"
        for node in ast.walk(script)
        if isinstance(node, ast.If) and node.lineno <= frame.f_lineno <= (node.end_lineno or node.lineno)
        for name in ast.walk(node.test)
    )
