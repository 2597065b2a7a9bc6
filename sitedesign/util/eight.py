"""Eight numbers side by side in compiled kernels: what is done to one is done to all, in few instructions.

A loop whose next turn needs the last one's result waits for it most of the time, and the compiler does not
widen it. Eight such loops at once take hardly longer than one. Each number goes through the same operations
in the same order on every machine, however many its registers hold: the results are the same.

Inside a kernel, ``a + b``, ``a - b`` and ``a * b`` of two such octets do what they say, lane by lane.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.datamodel import models, register_default
from numba.core.extending import intrinsic, overload
from numpy.typing import NDArray

LANES = 8

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_ZERO, _ONE = (ir.Constant(_VECTOR, [number] * LANES) for number in (0.0, 1.0))


class _EightType(types.Type):  # type: ignore[misc]
    pass


_EIGHT = _EightType("Eight")


@register_default(_EightType)
class _EightModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:  # noqa: ANN401
        super().__init__(manager, kind, _VECTOR)


def side_by_side(series: NDArray[Any], padding: float = 0.0) -> NDArray[Any]:
    """Cut series into eight stretches and put them side by side, step by step.

    Parameters
    ----------
    series : ndarray, shape (..., T)
    padding : float
        What stands where the last stretches have no step.

    Returns
    -------
    ndarray, shape (..., 8 * rows)
        Step t is element ``t % rows * 8 + t // rows``.
    """
    steps = series.shape[-1]
    rows = -(-steps // LANES)
    if rows * LANES > steps:
        more = np.full((*series.shape[:-1], rows * LANES - steps), padding, dtype=series.dtype)
        series = np.concatenate([series, more], axis=-1)
    stretches = series.reshape(*series.shape[:-1], LANES, rows)
    return np.ascontiguousarray(np.swapaxes(stretches, -1, -2)).reshape(*series.shape[:-1], rows * LANES)


def in_sequence(series: NDArray[Any], steps: int) -> NDArray[Any]:
    """Put series from :func:`side_by_side` back in the order of time, shape (..., steps)."""
    stretches = series.reshape(*series.shape[:-1], series.shape[-1] // LANES, LANES)
    return np.swapaxes(stretches, -1, -2).reshape(series.shape)[..., :steps]


def _of_two(emit: Callable[[Any, Any, Any], Any]) -> Any:  # noqa: ANN401
    """Make a function of two octets from one that writes it for the compiler."""

    @intrinsic
    def function(_typing: Any, a: Any, b: Any) -> Any:  # noqa: ANN401
        def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:  # noqa: ANN401
            return emit(builder, *given)

        return (_EIGHT(a, b), code) if a is b is _EIGHT else None

    return function


def _chosen(sign: str) -> Any:  # noqa: ANN401
    return _of_two(lambda builder, a, b: builder.select(builder.fcmp_ordered(sign, a, b), a, b))


def _one_where(sign: str) -> Any:  # noqa: ANN401
    return _of_two(lambda builder, a, b: builder.select(builder.fcmp_ordered(sign, a, b), _ONE, _ZERO))


_plus = _of_two(lambda builder, a, b: builder.fadd(a, b))
_minus = _of_two(lambda builder, a, b: builder.fsub(a, b))
_times = _of_two(lambda builder, a, b: builder.fmul(a, b))
smaller, larger = _chosen("<"), _chosen(">")
less, equal = _one_where("<"), _one_where("==")


def _operator(function: Any) -> Any:  # noqa: ANN401
    return lambda a, b: (lambda a, b: function(a, b)) if a is b is _EIGHT else None


for _sign, _function in ((operator.add, _plus), (operator.sub, _minus), (operator.mul, _times)):
    overload(_sign)(_operator(_function))


@intrinsic
def _everywhere(_typing: Any, number: Any) -> Any:  # noqa: ANN401
    """Eight times the same number."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:  # noqa: ANN401
        index = ir.IntType(32)
        unset = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(unset, given[0], index(0))
        return builder.shuffle_vector(first, unset, ir.Constant(ir.VectorType(index, LANES), [0] * LANES))

    return (_EIGHT(types.float64), code) if isinstance(number, types.Float) else None


@intrinsic
def _load_eight(_typing: Any, array: Any, start: Any) -> Any:  # noqa: ANN401
    """Eight elements of an array of one dimension, of any type of number, from `start` on."""

    def code(context: Any, builder: Any, _signature: Any, given: Any) -> Any:  # noqa: ANN401
        kind = context.get_data_type(array.dtype)
        found = builder.load(_address(builder, kind, *given), align=array.dtype.bitwidth // 8)
        return found if array.dtype is types.float64 else builder.sitofp(found, _VECTOR)

    return (_EIGHT(array, types.intp), code) if array.ndim == 1 and array.layout == "C" else None


@intrinsic
def _store_eight(_typing: Any, array: Any, start: Any, octet: Any) -> Any:  # noqa: ANN401
    """Write eight elements of an array of one dimension from `start` on, as numbers of its type."""

    def code(context: Any, builder: Any, _signature: Any, given: Any) -> Any:  # noqa: ANN401
        kind = context.get_data_type(array.dtype)
        value = given[2]
        if array.dtype is not types.float64:
            value = builder.fptosi(value, ir.VectorType(kind, LANES))
        builder.store(value, _address(builder, kind, *given[:2]), align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    writes = array.ndim == 1 and array.layout == "C" and octet is _EIGHT
    return (types.none(array, types.intp, octet), code) if writes else None


# mypy takes an intrinsic for what its first argument is, which is the compiler's
everywhere: Any = _everywhere
load_eight: Any = _load_eight
store_eight: Any = _store_eight


def _address(builder: Any, kind: Any, array: Any, start: Any) -> Any:  # noqa: ANN401
    data = builder.extract_value(array, 4)  # after memory info, parent, number and size of elements
    return builder.bitcast(builder.gep(data, [start]), ir.VectorType(kind, LANES).as_pointer())
