"""One page for every public name; a new name gets its page without being listed anywhere."""

from __future__ import annotations

from typing import Any

from mkdocs.structure.files import File, Files

import sitedesign

#: Told on the first page; it has no docstring.
WITHOUT_PAGE = ("__version__",)


def public_names() -> list[str]:
    """Names that have a page, those with a capital first."""
    return sorted(set(sitedesign.__all__) - set(WITHOUT_PAGE))


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401
    """Add the pages."""
    for name in public_names():
        text = f"---\ntitle: {name}\n---\n\n::: sitedesign.{name}\n"
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    links = "\n".join(f"- [`sd.{name}`](reference/{name}.md)" for name in public_names())
    index = files.get_file_from_path("index.md")
    assert index is not None  # stands in .docs/pages
    text = index.content_string.replace("LIST_OF_NAMES", links)
    files.remove(index)
    files.append(File.generated(config, "index.md", content=text))
    return files


def on_config(config: Any) -> Any:  # noqa: ANN401
    """Put every page into the menu."""
    config["nav"] = [{"Reference": [f"reference/{name}.md" for name in public_names()]}]
    return config
