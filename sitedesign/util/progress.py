"""How something that takes a while says where it is."""

from __future__ import annotations

from collections.abc import Callable

#: Called with one line of text now and then.
Progress = Callable[[str], None]


def silent(_line: str) -> None:
    """Say nothing."""
