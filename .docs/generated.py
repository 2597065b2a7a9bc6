"""Pages made from what stands elsewhere: tutorials and gallery from notebooks, commands from their help."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
_LONGEST = 6000  # characters of one output


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401
    """Add the pages."""
    pictures: list[str] = []
    for path in NOTEBOOKS:
        text, figures = tutorial(nbformat.read(path, as_version=4), path.stem)
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=text))
        for name, png in figures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=png))
        pictures += [_in_gallery(path.stem, title_of(text), name) for name in figures]
    made = {
        "gallery.md": "# Gallery\n\nEvery figure is of a tutorial, which has the call that draws it.\n\n"
        + "\n".join(pictures),
        "commands.md": commands(),
        "cite.md": cite(),
        "changes.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    index = files.get_file_from_path("index.md")
    assert index is not None  # stands in .docs/pages
    text = index.content_string.replace("PRINTED_ANSWER", printed_answer())
    files.remove(index)
    files.append(File.generated(config, "index.md", content=text))
    return files


def on_config(config: Any) -> Any:  # noqa: ANN401
    """Put the pages into the menu, around those of the names."""
    pages = Path(config["docs_dir"])
    method = [
        f"method/{name}" for name in re.findall(r"\]\((\w+\.md)\)", (pages / "method/index.md").read_text())
    ]
    reference = next(item for item in config["nav"] if "Reference" in item)
    config["nav"] = [
        {"Start": ["index.md", "planner.md", "commands.md"]},
        {"Tutorials": [*(f"tutorials/{path.stem}.md" for path in NOTEBOOKS), "gallery.md"]},
        {"Method": ["method/index.md", *method, "glossary.md"]},
        reference,
        {"About": ["changes.md", "cite.md"]},
    ]
    return config


def tutorial(notebook: Any, stem: str) -> tuple[str, dict[str, bytes]]:  # noqa: ANN401
    """Page of a notebook with its stored outputs, and its pictures by file name."""
    parts: list[str] = []
    figures: dict[str, bytes] = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{stem}_{len(figures) + 1}.png"
                figures[name] = base64.b64decode(data["image/png"])
                parts.append(f"![What the call above draws]({name})")
            elif "text/html" in data:
                table = re.sub(r"<style.*?</style>|\s*\n\s*", "", str(data["text/html"]), flags=re.DOTALL)
                parts.append(f'<div class="output">{table}</div>')
            else:
                text = str(data.get("text/plain", output.get("text", ""))).rstrip()
                parts.append(f"```text\n{text[:_LONGEST]}\n```" if text else "")
    link = f"\n\nThis page is the notebook `notebooks/{stem}.ipynb`, which runs anywhere: no key, no network."
    return "\n\n".join(_linked(part) for part in parts) + link, figures


def _linked(text: str) -> str:
    """Turn names of other notebooks into links where a text has them as links."""
    return re.sub(r"\]\((\d\d_\w+)\.ipynb\)", r"](\1.md)", text)


def title_of(text: str) -> str:
    """First heading of a page."""
    return text.partition("\n")[0].lstrip("# ")


def _in_gallery(stem: str, title: str, name: str) -> str:
    return (
        f"[![{title}](tutorials/{name})](tutorials/{stem}.md)\n[{title}](tutorials/{stem}.md)\n{{ .shot }}\n"
    )


def commands() -> str:
    """Say of every command what it does, with its example."""
    import typer

    from sitedesign.cli import app

    lines = [
        "# In a terminal",
        "",
        "Every command has `-h`; `--json` prints one JSON document and nothing else.",
        "",
    ]
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        inner = getattr(command, "commands", {})
        for words, one in {f"{name} {sub}": item for sub, item in inner.items()}.items() or [(name, command)]:
            lines += [f"## {words}", "", str(one.help or "").replace("\b", "").strip(), ""]
            example = str(one.epilog or "").split("\n\n")[0].removeprefix("Example: ").strip()
            lines += ["```sh", example, "```", ""] if example else []
    return "\n".join(lines)


def cite() -> str:
    """How to cite, from the file that others read by machine."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    message = re.search(r'^message: "(.*)"', text, re.MULTILINE)
    assert message is not None
    return f"# How to cite\n\n{message[1]}\n\n```yaml\n{text}```\n"


def printed_answer() -> str:
    """Answer as the README prints it, which a test of the README keeps true."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```text\n(El Paso.*?)```", text, re.DOTALL)
    assert found is not None
    return f"```text\n{found[1]}```"
