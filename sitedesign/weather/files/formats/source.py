"""What every parser of text is given: the name of a file, its text, and its path."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SourceText:
    """A file whose text has been decoded.

    Attributes
    ----------
    name : str
        File name without folder.
    text : str
        Lines end with a line feed.
    path : Path
    """

    name: str
    text: str
    path: Path

    @property
    def stream(self) -> io.StringIO:
        """The text, for parsers that read a stream."""
        return io.StringIO(self.text)

    @property
    def byte_stream(self) -> io.BytesIO:
        """The text in UTF-8, for parsers that decode it themselves."""
        return io.BytesIO(self.text.encode())

    @contextmanager
    def plain_file(self) -> Iterator[str]:
        """Path of a file with the same text, for parsers that open one themselves in ASCII."""
        raw = self.path.read_bytes() if self.path.is_file() else b""
        if raw.isascii() and b"\x00" not in raw and raw:
            yield str(self.path)
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "text"
            copy.write_text(self.text.encode("ascii", errors="replace").decode(), encoding="ascii")
            yield str(copy)
