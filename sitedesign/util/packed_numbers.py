"""Long series of numbers as one short text, for JSON and TOML: every number comes back to the last bit."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
#: Key of a packed series: base64 of zlib of numbers as text, one line a row.
PACKED = "packed"
_MOST_BYTES = 200_000_000  # a text of some kilobytes could otherwise fill the memory


def pack_numbers(values: FloatArray) -> dict[str, str]:
    """Write numbers as a mapping of one text.

    Parameters
    ----------
    values : ndarray, shape (steps,) or (rows, steps)

    Returns
    -------
    dict
    """
    lines = "\n".join(" ".join(map(repr, row)) for row in np.atleast_2d(values).tolist())
    # Texts differ less from each other than the bits of the numbers do: half as long
    return {PACKED: base64.b64encode(zlib.compress(lines.encode(), 9)).decode("ascii")}


def is_packed(value: Any) -> bool:  # noqa: ANN401
    """Whether a value is what :func:`pack_numbers` makes of a long series."""
    return isinstance(value, Mapping) and set(value) == {PACKED}


def unpack_numbers(value: Mapping[str, Any]) -> FloatArray:
    """Read what :func:`pack_numbers` wrote.

    Returns
    -------
    ndarray, shape (rows, steps)

    Raises
    ------
    ValueError
        If it is something else.
    """
    try:
        reader = zlib.decompressobj()
        text = reader.decompress(base64.b64decode(value[PACKED], validate=True), _MOST_BYTES)
        if not reader.eof:
            raise ValueError(PACKED)
        rows = [[float(number) for number in line.split(" ")] for line in text.decode("ascii").split("\n")]
        return np.array(rows, dtype=np.float64)
    except (binascii.Error, zlib.error, TypeError, UnicodeDecodeError) as error:
        raise ValueError(PACKED) from error
