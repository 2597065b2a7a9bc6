"""Random streams of many components, as numpy begins them with the same key, in a fifth of the time.

A stream is that of ``PCG64(SeedSequence(words))``. Here one generator a thread is set to where it begins.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from sitedesign.util.compiled import njit

_WORD, _POOL, _SHIFT = 0xFFFFFFFF, 4, 16
# Of numpy's SeedSequence and PCG64
_INIT_A, _MULT_A, _INIT_B, _MULT_B = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
_MIX_LEFT, _MIX_RIGHT = 0xCA01F9DD, 0x4973F715
_MULTIPLIER, _WIDE = (2549297995355413924 << 64) + 4865540595714422341, (1 << 128) - 1


class _Own(threading.local):
    def __init__(self) -> None:
        self.bits = np.random.PCG64(0)
        self.generator = np.random.Generator(self.bits)


_own = _Own()


def begin(words: NDArray[np.int64]) -> np.random.Generator:
    """Give the stream of a key of 32-bit words; it holds until this thread begins another."""
    high, low, above, below = seeds(words, 4).tolist()
    increment = (((above << 64) + below) << 1 | 1) & _WIDE
    state = ((increment + (high << 64) + low) * _MULTIPLIER + increment) & _WIDE
    own = _own
    own.bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": increment},
        "has_uint32": 0,
        "uinteger": 0,
    }
    return own.generator


@njit(cache=True)
def seeds(words: NDArray[np.int64], count: int) -> NDArray[np.uint64]:
    """Give what ``SeedSequence(words).generate_state(count, np.uint64)`` gives."""
    pool, constant = np.zeros(_POOL, np.int64), _INIT_A
    for i in range(_POOL):
        value = words[i] if i < words.size else 0
        value ^= constant
        constant = constant * _MULT_A & _WORD
        value = value * constant & _WORD
        pool[i] = value ^ (value >> _SHIFT)
    for source in range(max(words.size, _POOL)):
        for i in range(_POOL):
            if source == i:
                continue
            value = pool[source] if source < _POOL else words[source]
            value ^= constant
            constant = constant * _MULT_A & _WORD
            value = value * constant & _WORD
            value ^= value >> _SHIFT
            mixed = (_MIX_LEFT * pool[i] - _MIX_RIGHT * value) & _WORD
            pool[i] = mixed ^ (mixed >> _SHIFT)
    result, constant = np.zeros(count, np.uint64), _INIT_B
    for i in range(2 * count):
        value = pool[i % _POOL] ^ constant
        constant = constant * _MULT_B & _WORD
        value = value * constant & _WORD
        value ^= value >> _SHIFT
        result[i // 2] |= np.uint64(value) << np.uint64(32 * (i % 2))
    return result
