"""Random streams of many components in compiled code, bit by bit as numpy begins them with the same key.

A stream is that of ``Generator(PCG64(SeedSequence(words)))``: its uniform and its exponential numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.compiled import inside, njit
from sitedesign.util.compiled import (
    EXPONENTIAL_ACCEPTED,
    EXPONENTIAL_DENSITY,
    EXPONENTIAL_TAIL,
    EXPONENTIAL_WIDTH,
)

_WORD, _POOL, _SHIFT = 0xFFFFFFFF, 4, 16
# Of numpy's SeedSequence and PCG64
_INIT_A, _MULT_A, _INIT_B, _MULT_B = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
_MIX_LEFT, _MIX_RIGHT = 0xCA01F9DD, 0x4973F715
_MULT_HIGH, _MULT_LOW = np.uint64(2549297995355413924), np.uint64(4865540595714422341)
# A kernel that reckons with unsigned numbers takes no others: with signed ones they would become floats
_U0, _U1, _U3, _U8, _U11, _U32, _U58, _U63, _U64 = np.array([0, 1, 3, 8, 11, 32, 58, 63, 64], np.uint64)
_BYTE, _LOW = np.uint64(0xFF), np.uint64(_WORD)
_PER_UNIT = 1.0 / 9007199254740992.0
#: State and increment, each as its upper and its lower half.
Stream = NDArray[np.uint64]


@inside
def begin(key: NDArray[np.uint64]) -> None:
    """Make a row of :func:`seeds` the stream that it begins."""
    high, low = (key[2] << _U1) | (key[3] >> _U63), (key[3] << _U1) | _U1
    # One step from 0 gives the increment, on which the key is added
    begun = low + key[1]
    key[0] = high + key[0] + (_U1 if begun < low else _U0)
    key[1], key[2], key[3] = begun, high, low
    _step(key)


@inside
def uniform(stream: Stream) -> float:
    """Draw a number in [0, 1)."""
    return np.float64(_bits(stream) >> _U11) * _PER_UNIT


@inside
def exponential(stream: Stream) -> float:
    """Draw a number of mean 1."""
    while True:
        bits = _bits(stream) >> _U3
        layer = int(bits & _BYTE)
        bits >>= _U8
        x = np.float64(bits) * EXPONENTIAL_WIDTH[layer]
        if bits < EXPONENTIAL_ACCEPTED[layer]:
            return x  # type: ignore[no-any-return]
        if layer == 0:
            return EXPONENTIAL_TAIL - math.log1p(-uniform(stream))
        top, bottom = EXPONENTIAL_DENSITY[layer - 1], EXPONENTIAL_DENSITY[layer]
        if (top - bottom) * uniform(stream) + bottom < math.exp(-x):
            return x  # type: ignore[no-any-return]


@inside
def _bits(stream: Stream) -> np.uint64:
    """Draw 64 bits."""
    _step(stream)
    value, turn = stream[0] ^ stream[1], stream[0] >> _U58
    return (value >> turn) | (value << ((_U64 - turn) & _U63))  # type: ignore[no-any-return]


@inside
def _step(stream: Stream) -> None:
    """Go on by one: state times the multiplier plus the increment, in 128 bits."""
    high, low = stream[0], stream[1]
    a, b, c, d = low >> _U32, low & _LOW, _MULT_LOW >> _U32, _MULT_LOW & _LOW
    middle = a * d + (b * d >> _U32)
    carried = (middle & _LOW) + b * c
    upper = a * c + (middle >> _U32) + (carried >> _U32) + high * _MULT_LOW + low * _MULT_HIGH
    product = low * _MULT_LOW
    stream[1] = product + stream[3]
    stream[0] = upper + stream[2] + (_U1 if stream[1] < product else _U0)


def drawn(keys: NDArray[np.uint64], uniforms: int, exponentials: int) -> NDArray[np.float64]:
    """Draw so many uniform numbers, then so many of mean 1, one row for the stream of each key."""
    numbers = np.empty((len(keys), uniforms + exponentials))
    _draw(keys, uniforms, numbers)
    return numbers


@njit(cache=True)
def _draw(keys: NDArray[np.uint64], uniforms: int, numbers: NDArray[np.float64]) -> None:
    for row in range(len(keys)):
        stream = keys[row]
        begin(stream)
        for i in range(uniforms):
            numbers[row, i] = uniform(stream)
        for i in range(uniforms, numbers.shape[1]):
            numbers[row, i] = exponential(stream)


def seeds(words: NDArray[np.int64], place: int, first: int, count: int) -> NDArray[np.uint64]:
    """Give the keys of some streams, ``SeedSequence(words).generate_state(4, np.uint64)``, one each row.

    The number of each, from `first` on, is its word at `place`.
    """
    keys = np.empty((count, 4), np.uint64)
    _seed(words, place, first, np.empty(_POOL, np.int64), keys)
    return keys


# No other kernel contains this one: it takes long to compile
@njit(cache=True)
def _seed(
    words: NDArray[np.int64], place: int, first: int, pool: NDArray[np.int64], keys: NDArray[np.uint64]
) -> None:
    for number in range(len(keys)):
        words[place] = first + number
        constant = _INIT_A
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
        constant = _INIT_B
        for i in range(2 * _POOL):
            value = pool[i % _POOL] ^ constant
            constant = constant * _MULT_B & _WORD
            value = value * constant & _WORD
            value ^= value >> _SHIFT
            if i % 2:
                keys[number, i // 2] |= np.uint64(value) << _U32
            else:
                keys[number, i // 2] = value
