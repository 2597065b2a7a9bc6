"""One name per equation: the decorator that makes a Python function an equation, and the register of them.

The function's name is the name of the Pyomo component, of the rows in an LP file, of the golden file in
``tests/golden/`` and of the row of the equation sheet in ``models/README.md``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pyomo.environ as pyo

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Equation:
    """One equation of the model.

    Attributes
    ----------
    number : str
        Letter of the subject and running number, for example ``B2``; unique.
    name : str
        Name of the function, the Pyomo component, the LP rows and the golden file; unique.
    latex : str
        The equation as it is printed in the equation sheet, without dollar signs.
    over : tuple of str
        Names of the index sets of the model; empty for a single row.
    doc : str
        Why the equation is there, one or two sentences.
    kind : {'constraint', 'objective'}
    rule : callable
        ``rule(m, *indices)`` returns the Pyomo expression.
    """

    number: str
    name: str
    latex: str
    over: tuple[str, ...]
    doc: str
    kind: Literal["constraint", "objective"] = "constraint"
    rule: Rule = field(repr=False, compare=False, default=lambda *_: None)

    def add(self, m: pyo.ConcreteModel) -> None:
        """Add the equation to a model under its own name.

        Parameters
        ----------
        m : pyomo.environ.ConcreteModel
            Must hold what the rule reads (:mod:`sitedesign.equations.variables`).
        """
        if self.kind == "objective":
            component = pyo.Objective(rule=self.rule, sense=pyo.minimize, doc=self.doc)
        else:
            sets = [getattr(m, name) for name in self.over]
            component = pyo.Constraint(*sets, rule=self.rule, doc=self.doc)
        m.add_component(self.name, component)


REGISTRY: dict[str, Equation] = {}
"""All equations by name, in the order of their numbers within each subject."""


def equation(
    number: str,
    latex: str,
    *,
    over: str | tuple[str, ...] = (),
    kind: Literal["constraint", "objective"] = "constraint",
) -> Callable[[Rule], Equation]:
    """Register a rule as an equation of the model.

    Parameters
    ----------
    number : str
        Capital letter and running number, for example ``B2``.
    latex : str
        The equation, without dollar signs.
    over : str or tuple of str
        Index sets, in the order of the rule's arguments.
    kind : {'constraint', 'objective'}

    Returns
    -------
    callable
        Turns the rule into its :class:`Equation`.

    Raises
    ------
    ValueError
        When the number or name is taken or malformed, a docstring is missing, or the rule's arguments do not
        fit its index sets.
    """
    sets = (over,) if isinstance(over, str) else tuple(over)

    def register(rule: Rule) -> Equation:
        name = rule.__name__
        if not re.fullmatch(r"[A-Z]\d+", number):
            message = f"equation {name}: number {number!r} must be a capital letter and a number"
            raise ValueError(message)
        if name in REGISTRY or any(other.number == number for other in REGISTRY.values()):
            message = f"equation {number} {name}: number or name is taken"
            raise ValueError(message)
        if not rule.__doc__:
            message = f"equation {name}: say in a docstring why it is there"
            raise ValueError(message)
        if len(inspect.signature(rule).parameters) < 1 + len(sets):
            message = f"equation {name}: the rule takes the model and one argument per set of {sets}"
            raise ValueError(message)
        REGISTRY[name] = Equation(number, name, latex, sets, inspect.cleandoc(rule.__doc__), kind, rule)
        return REGISTRY[name]

    return register
