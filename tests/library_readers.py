"""Who reads a number of the library: attribute accesses in the package, by the class of what is accessed.

Field names alone say little: ``lead_months`` of a battery is read, that of a building is not. So the class
of each receiver is worked out from annotations: of arguments, of attributes, of what functions return. Where
that fails a read is not counted, and a number that is read seems to have no reader: the test then says so.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sitedesign
from sitedesign.library.files import KINDS

_MANY = {"tuple", "list", "set", "frozenset", "Sequence", "Iterable", "Iterator", "Collection"}
_BY_KEY = {"dict", "Mapping"}
_SAME = {"sorted", "reversed", "tuple", "list", "iter"}
KIND_OF = {cls.__name__: kind for kind, cls in KINDS.items()}


@dataclass(frozen=True)
class Kind:
    """A class by name, or several of a kind (`parts` one a place where places differ)."""

    name: str = ""
    parts: tuple[Kinds, ...] = ()


Kinds = frozenset[Kind]
NONE: Kinds = frozenset()


def _of_many(kinds: Kinds) -> Kinds:
    return frozenset({Kind(parts=(kinds,))}) if kinds else NONE


def _element(kinds: Kinds) -> Kinds:
    return frozenset(kind for one in kinds for part in one.parts for kind in part)


def _rows(parts: tuple[Kinds, ...]) -> Kinds:
    """Many of what has a kind a place."""
    return _of_many(frozenset({Kind(parts=parts)}))


@dataclass
class _Known:
    """What annotations say about the whole package."""

    attributes: dict[str, dict[str, ast.expr]] = field(default_factory=lambda: defaultdict(dict))
    bases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    returns: dict[str, ast.expr] = field(default_factory=dict)
    aliases: dict[str, ast.expr] = field(default_factory=dict)

    def learn(self, tree: ast.Module) -> None:
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.aliases.setdefault(node.targets[0].id, node.value)
            if isinstance(node, ast.FunctionDef) and node.returns is not None:
                self.returns[node.name] = node.returns
            if isinstance(node, ast.ClassDef):
                own = self.attributes[node.name]
                self.bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
                for item in node.body:
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                        own[item.target.id] = item.annotation
                    if isinstance(item, ast.FunctionDef) and item.returns is not None:
                        own[item.name] = item.returns

    def attribute(self, kinds: Kinds, name: str) -> Kinds:
        found: set[Kind] = set()
        for kind in kinds:
            for cls in (kind.name, *self.bases.get(kind.name, [])):
                if name in self.attributes.get(cls, {}):
                    found |= self.annotated(self.attributes[cls][name])
                    break
        return frozenset(found)

    def annotated(self, node: ast.expr | None) -> Kinds:
        match node:
            case ast.Constant(value=str(text)):
                return self.annotated(ast.parse(text, mode="eval").body)
            case ast.Name(id=name):
                known = name in self.attributes or name in KIND_OF
                if not known and name in self.aliases:
                    return self.annotated(self.aliases[name])
                return frozenset({Kind(name)})
            case ast.Attribute(attr=name):
                return frozenset({Kind(name)})
            case ast.BinOp(left=left, right=right):
                return self.annotated(left) | self.annotated(right)
            case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[first, *_])):
                return self.annotated(first)
            case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in _MANY:
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                kept = [p for p in parts if not (isinstance(p, ast.Constant) and p.value is ...)]
                return frozenset({Kind(parts=tuple(self.annotated(part) for part in kept))})
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[_, value])) if name in _BY_KEY:
                return _of_many(self.annotated(value))
        return NONE


class _Function(ast.NodeVisitor):
    """Reads in one scope, and in those inside it."""

    def __init__(
        self, known: _Known, reads: set[tuple[str, str]], scope: dict[str, Kinds], owner: str
    ) -> None:
        self.known, self.reads, self.scope, self.owner = known, reads, scope, owner

    # ------------------------------------------------------------------ what a name stands for

    def kinds(self, node: ast.expr) -> Kinds:
        match node:
            case ast.Name(id=name):
                return self.scope.get(name, NONE)
            case ast.Attribute(value=value, attr=name):
                return self.known.attribute(self.kinds(value), name)
            case ast.Call():
                return self._called(node)
            case ast.Subscript(value=value, slice=ast.Constant(value=int(place))):
                parts = [one.parts for one in self.kinds(value) if len(one.parts) > 1]
                return parts[0][place] if parts else _element(self.kinds(value))
            case ast.Subscript(value=value):
                return _element(self.kinds(value))
            case ast.IfExp(body=one, orelse=other):
                return self.kinds(one) | self.kinds(other)
            case ast.BoolOp(values=values):
                return frozenset().union(*map(self.kinds, values))
            case ast.Tuple(elts=items) | ast.List(elts=items):
                inner = (item.value if isinstance(item, ast.Starred) else item for item in items)
                return _of_many(frozenset().union(*map(self.kinds, inner)))
            case ast.ListComp(elt=one) | ast.GeneratorExp(elt=one) | ast.SetComp(elt=one):
                self._bind_all(node.generators)
                return _of_many(self.kinds(one))
            case ast.NamedExpr(value=value):
                return self.kinds(value)
        return NONE

    def _called(self, node: ast.Call) -> Kinds:
        match node.func, node.args:
            case ast.Name(id="zip"), args:
                return _rows(tuple(_element(self.kinds(one)) for one in args))
            case ast.Name(id="enumerate"), [first, *_]:
                return _rows((NONE, _element(self.kinds(first))))
            case ast.Name(id=name), [first, *_] if name in _SAME:
                return self.kinds(first)
            case ast.Name(id="next"), [first, *_]:
                return _element(self.kinds(first))
            case ast.Name(id=name), _:
                if name in self.known.attributes:
                    return frozenset({Kind(name)})
                return self.known.annotated(self.known.returns.get(name))
            case ast.Attribute(value=value, attr="values"), []:
                return self.kinds(value)
            case ast.Attribute(value=value, attr="replace"), _:
                return self.kinds(value)
            case ast.Attribute(value=value, attr=name), _:
                own = self.known.attribute(self.kinds(value), name)
                return own or self.known.annotated(self.known.returns.get(name))
        return NONE

    def bind(self, target: ast.expr, kinds: Kinds) -> None:
        if isinstance(target, ast.Name):
            self.scope[target.id] = self.scope.get(target.id, NONE) | kinds
        elif isinstance(target, ast.Tuple):
            for place, item in enumerate(target.elts):
                fitting = (one.parts for one in kinds if one.parts)
                parts = frozenset().union(*(p[min(place, len(p) - 1)] for p in fitting))
                self.bind(item, parts)

    def _bind_all(self, generators: Iterable[ast.comprehension]) -> None:
        for one in generators:
            self.bind(one.target, _element(self.kinds(one.iter)))

    # ------------------------------------------------------------------ walking

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        scope = dict(self.scope)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            scope[argument.arg] = self.known.annotated(argument.annotation)
        if self.owner and arguments and arguments[0].arg in ("self", "cls"):
            scope[arguments[0].arg] = frozenset({Kind(self.owner)})
        inner = _Function(self.known, self.reads, scope, "")
        for _ in range(2):  # a name may be used above its assignment, in a loop
            for item in node.body:
                inner.visit(item)
        if self.owner in KIND_OF and node.name == "contradictions":
            texts = (n.slice.value for n in ast.walk(node)
                     if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant))  # fmt: skip
            self.reads |= {(KIND_OF[self.owner], str(text)) for text in texts}

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        inner = _Function(self.known, self.reads, dict(self.scope), node.name)
        for item in node.body:
            inner.visit(item)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for one, value in zip(target.elts, node.value.elts, strict=True):
                    self.bind(one, self.kinds(value))
            else:
                self.bind(target, self.kinds(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        self.bind(node.target, self.known.annotated(node.annotation))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.generic_visit(node)
        self.bind(node.target, self.kinds(node.value))

    def visit_For(self, node: ast.For) -> None:
        self.bind(node.target, _element(self.kinds(node.iter)))
        self.generic_visit(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self._bind_all(node.generators)
        self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        for kind in self.kinds(node.value):
            if kind.name in KIND_OF:
                self.reads.add((KIND_OF[kind.name], node.attr))

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        match node:  # getattr(rack, "curve_default"), getattr(rack, f"curve_{name}")
            case ast.Call(func=ast.Name(id="getattr"), args=[value, name, *_]):
                owners = {KIND_OF[kind.name] for kind in self.kinds(value) if kind.name in KIND_OF}
                self.reads |= {(owner, field) for owner in owners for field in _named(owner, name)}


def _named(kind: str, name: ast.expr) -> Iterator[str]:
    """Fields that the second argument of getattr can name, where it says so itself."""
    match name:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), *_]):
            yield from (item for item in KINDS[kind].numbers() if item.startswith(prefix))


def trees() -> list[ast.Module]:
    """Every module of the package."""
    folder = Path(sitedesign.__file__).parent
    return [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))]


def reads_of(modules: Iterable[ast.Module]) -> set[tuple[str, str]]:
    """Pairs of kind and name of what is read of library entries."""
    modules, known, reads = list(modules), _Known(), set[tuple[str, str]]()
    for module in modules:
        known.learn(module)
    for module in modules:
        walker = _Function(known, reads, {}, "")
        for item in module.body:
            walker.visit(item)
    return reads
