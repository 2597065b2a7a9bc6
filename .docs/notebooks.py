"""Keep what a visitor reads in the notebooks: run them, store their outputs, hold those against another run.

Usage: python .docs/notebooks.py [NUMBER ...]          # run and store; all of them when none is named
       python .docs/notebooks.py --check [NUMBER ...]  # run and compare with what is stored, loosely

Figures are stored as pictures, drawn by an installed Chromium: a page that shows a notebook runs no scripts.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
_PLOTLY = "application/vnd.plotly.v1+json"
_LONGEST_CELL_S = 7200
_WIDTH_PX, _HEIGHT_PX = 900, 420
_NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")
_NEAR = 0.05  # of a number: what another version of a solver may change
_SHARE = 0.9  # of the numbers of an output that must be near
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_MARKUP = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)
_SECONDS = re.compile(r"[\d,]+(\.\d+)? (s|sites/min)\b")  # differ between runs
_PASSING = re.compile(r"(/[\w.-]+)*/tmp\w{8}/")  # folder that is gone after the run


def digest(notebook: Any) -> str:  # noqa: ANN401
    """Hash of the code of a notebook, which its outputs are of."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\n\0".join(code).encode()).hexdigest()[:16]


def run(path: Path) -> Any:  # noqa: ANN401
    """Run a notebook in an empty folder, as somebody who opens it would."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=_LONGEST_CELL_S, kernel_name="python3", resources=where).execute()
    return notebook


def store(path: Path) -> None:
    """Run a notebook and keep its outputs."""
    notebook = run(path)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        cell.execution_count = None
        cell.outputs = [_kept(output, f"{path.stem}, cell {number}") for output in cell.outputs]
    notebook.metadata["outputs_of"] = digest(notebook)
    path.write_text(nbformat.writes(notebook).rstrip() + "\n", encoding="utf-8")


def differences(path: Path) -> list[str]:
    """Say in which cells a run answers otherwise than what is stored; pictures are not compared."""
    stored, now = nbformat.read(path, as_version=4), run(path)
    found = []
    for number, (old, new) in enumerate(zip(stored.cells, now.cells, strict=True)):
        before, after = (_said(cell) for cell in (old, new))
        if not near(before, after):
            found.append(f"{path.name}, cell {number}:\n--- stored\n{before}\n--- now\n{after}")
    return found


def near(before: str, after: str) -> bool:
    """Whether two texts have the same words, and nearly the same numbers."""
    before, after = (_SECONDS.sub("", _PASSING.sub("", text)) for text in (before, after))
    words = [_words(text) for text in (before, after)]
    old, new = ([float(item.replace(",", "")) for item in _NUMBER.findall(text)] for text in (before, after))
    if words[0] != words[1] or len(old) != len(new):
        return False
    close = [abs(a - b) <= _NEAR * max(abs(a), abs(b), 1e-9) for a, b in zip(old, new, strict=True)]
    return sum(close) >= _SHARE * len(close)


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]{3,}", _NUMBER.sub("", text))


def _said(cell: Any) -> str:  # noqa: ANN401
    """Text of the outputs of a cell, figures as one word."""
    if cell.cell_type != "code":
        return ""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {})
        picture = _PLOTLY in data or "image/png" in data
        parts.append("figure" if picture else words_of(data) or str(output.get("text", "")))
    return "\n".join(parts)


def words_of(data: Any) -> str:  # noqa: ANN401
    """Text of an output; of a table with a style, whose own text is its address, that of its cells."""
    plain = str(data.get("text/plain", ""))
    if _ADDRESS.search(plain) and "text/html" in data:
        return html.unescape(_MARKUP.sub(" ", str(data["text/html"])))
    return plain


def _kept(output: Any, what: str) -> Any:  # noqa: ANN401
    """Output as it is stored: a picture in place of a figure that only scripts can draw."""
    output = nbformat.from_dict(
        {**output, "execution_count": None} if "execution_count" in output else output
    )
    data = output.get("data", {})
    for texts in (output, data):
        for kind in ("text", "text/plain", "text/html"):
            if isinstance(texts.get(kind), str):
                texts[kind] = _PASSING.sub("", texts[kind])
    if _PLOTLY in data:
        png = base64.b64encode(picture(data[_PLOTLY])).decode()
        output.data = {"image/png": png, "text/plain": f"Figure ({what})"}
    output.metadata = {} if "metadata" in output else output.get("metadata")
    if output.get("metadata") is None:
        output.pop("metadata", None)
    return output


def picture(figure: Any) -> bytes:  # noqa: ANN401
    """Draw a figure, as PNG."""
    from plotly.offline import get_plotlyjs

    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("Figures are drawn by Chromium, and there is none.")
    high = int(figure.get("layout", {}).get("height") or _HEIGHT_PX)
    page = (
        "<!DOCTYPE html><meta charset='utf-8'><body style='margin:0;background:white'><div id='f'></div>"
        f"<script>{get_plotlyjs()}</script><script>const f={json.dumps(figure)};f.layout.width={_WIDTH_PX};"
        f"f.layout.height={high};Plotly.newPlot('f',f.data,f.layout,{{staticPlot:true}});</script>"
    )
    with tempfile.TemporaryDirectory() as folder:
        file, image = Path(folder) / "figure.html", Path(folder) / "figure.png"
        file.write_text(page, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--hide-scrollbars", f"--window-size={_WIDTH_PX},{high}", "--virtual-time-budget=8000",
            f"--user-data-dir={folder}/profile", f"--screenshot={image}", file.as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        return image.read_bytes()


def main(words: list[str]) -> int:
    """Run what is named."""
    numbers = [word for word in words if word.isdigit()]
    paths = [path for path in sorted(FOLDER.glob("*.ipynb")) if not numbers or path.name[:2] in numbers]
    if "--check" not in words:
        for path in paths:
            store(path)
            print(f"{path.name}: stored", flush=True)
        return 0
    found = [line for path in paths for line in differences(path)]
    print("\n\n".join(found) or f"{len(paths)} notebooks say what is stored.")
    return int(bool(found))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
