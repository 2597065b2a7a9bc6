"""From a linear Pyomo model to sparse matrices, with Pyomo's own compiler; knows nothing of any solver."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.common.collections import ComponentMap
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.repn import generate_standard_repn
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class MatrixForm:
    """Minimise ``cost @ x + offset`` with ``row_lower <= A x <= row_upper``, A stored by columns.

    Attributes
    ----------
    variables : list of VarData
        One a column; variables the model does not use have none.
    rows : ComponentMap
        Constraint to the list of its row indices (two for a range).
    cost, column_lower, column_upper : ndarray, shape (columns,)
    offset : float
    row_lower, row_upper : ndarray, shape (rows,)
    start, index, value : ndarray
        Compressed sparse columns of A.
    """

    variables: list[Any]
    rows: ComponentMap
    cost: FloatArray
    offset: float
    column_lower: FloatArray
    column_upper: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    start: IndexArray
    index: IndexArray
    value: FloatArray


def compile_model(model: pyo.ConcreteModel) -> MatrixForm | None:
    """Compile a linear model.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
        Fixed variables become columns with equal bounds.

    Returns
    -------
    MatrixForm or None
        None when a row without variables cannot hold, so that the model is infeasible.

    Raises
    ------
    ValueError
        When the objective is maximised.
    """
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if any(objective.sense != pyo.minimize for objective in objectives):
        message = "the objective must be minimised"
        raise ValueError(message)
    held = [v for v in model.component_data_objects(pyo.Var) if v.fixed]
    for variable in held:
        variable.unfix()
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    except InfeasibleConstraintException:
        return None
    finally:
        for variable in held:
            variable.fix()
    rows: ComponentMap = ComponentMap()
    for row, (constraint, _) in enumerate(form.rows):
        rows.setdefault(constraint, []).append(row)
    variables = list(form.columns)
    bounds = np.array([bounds_of(v) for v in variables], dtype=np.float64).reshape(-1, 2)
    rhs = np.asarray(form.rhs, dtype=np.float64)
    sense = np.array([multiplier for _, multiplier in form.rows], dtype=np.int64)
    return MatrixForm(
        variables=variables,
        rows=rows,
        cost=np.asarray(form.c.todense(), dtype=np.float64).sum(axis=0),
        offset=float(np.sum(form.c_offset)),
        column_lower=bounds[:, 0].copy(),
        column_upper=bounds[:, 1].copy(),
        row_lower=np.where(sense == 1, -np.inf, rhs),
        row_upper=np.where(sense == -1, np.inf, rhs),
        start=form.A.indptr,
        index=form.A.indices,
        value=form.A.data,
    )


def linear(expression: Any) -> Any:  # noqa: ANN401
    """Take a linear expression apart.

    Parameters
    ----------
    expression : Pyomo expression

    Returns
    -------
    StandardRepn
        With ``linear_vars``, ``linear_coefs`` and ``constant``.

    Raises
    ------
    ValueError
        When it is not linear.
    """
    repn = generate_standard_repn(expression, quadratic=False, compute_values=True)
    if repn.nonlinear_expr is not None:
        message = f"not linear: {expression}"
        raise ValueError(message)
    return repn


def as_constraint(expression: Any) -> Any:  # noqa: ANN401
    """Wrap a relational expression in a constraint of its own."""
    constraint = pyo.Constraint(expr=expression)
    constraint.construct()
    return constraint


def bounds_of(variable: Any) -> tuple[float, float]:  # noqa: ANN401
    """Bounds of a Pyomo variable; its value twice when it is fixed."""
    if variable.fixed:
        return float(variable.value), float(variable.value)
    lower, upper = variable.bounds
    return (-math.inf if lower is None else float(lower)), (math.inf if upper is None else float(upper))
