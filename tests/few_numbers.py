"""Sensitivities to a few numbers of the hundred that the library has."""

from __future__ import annotations

import pytest

from sitedesign.influence.ranges import RangedNumber, ranged_numbers


def vary_only(patch: pytest.MonkeyPatch, *keys: str) -> None:
    """Leave the hundred numbers alone that a test does not ask about."""
    of_all = ranged_numbers

    def of_few(*asked: object) -> list[RangedNumber]:
        return [item for item in of_all(*asked) if item.key in keys]

    patch.setattr("sitedesign.api.sensitivity.ranged_numbers", of_few)
