"""The example that the first view shows: the untouched form, solved beforehand and kept in the package.

``python -m sitedesign.serve.example`` solves it again, which the tests ask for when the form or the library
asks another question.
"""

from __future__ import annotations

import tempfile
import zipfile
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from sitedesign.serve import answering
from sitedesign.serve.answering import DESIGN
from sitedesign.serve.questions import PlantQuestion, StoredQuestion, size_words
from sitedesign.serve.solving import VIEW
from sitedesign.serve.tabs import defaults, question_of
from sitedesign.serve.worker import PlannerJob
from sitedesign.util.progress import Progress, silent

_FILE = "example.zip"
KEPT = (VIEW, DESIGN)


def example_in(folder: Path) -> PlannerJob | None:
    """Unpack the example into a folder, as a job that is done; None where the package has none."""
    packed = files("sitedesign.serve") / "template" / _FILE
    if not packed.is_file():
        return None
    own = folder / "example"
    own.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(packed.read_bytes())) as archive:
        archive.extractall(own, KEPT)
    question = question_of("plant", defaults(), certify=True, runs={})
    assert isinstance(question, PlantQuestion)
    stored = StoredQuestion("plant", question.place, size_words(question.study))
    return PlannerJob("example", stored, own, "", "Example", state="done")


def make(target: Path, progress: Progress) -> None:
    """Solve the untouched form and keep what the page shows of it."""
    question = question_of("plant", defaults(), certify=True, runs={})
    with tempfile.TemporaryDirectory(prefix="sitedesign-") as name:
        folder = Path(name)
        view, _ = answering.answer(question, folder, progress)
        pack(folder, view.to_json(), target)


def pack(folder: Path, view: str, target: Path) -> None:
    """Pack what is kept; the same answer gives the same file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in ((VIEW, view), (DESIGN, (folder / DESIGN).read_text(encoding="utf-8"))):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    make(Path(str(files("sitedesign.serve") / "template" / _FILE)), silent)
