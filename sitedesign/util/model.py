"""Base of the models that users hold: what they complete on an object is its own, not its framework's."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

_OF_THE_FRAMEWORK = {name for name in dir(BaseModel) if not name.startswith("_")}


class Model(BaseModel):
    """A pydantic model whose ``dir()`` names fields, properties and methods of this package only."""

    def __dir__(self) -> Iterable[str]:
        return [name for name in super().__dir__() if name not in _OF_THE_FRAMEWORK]
