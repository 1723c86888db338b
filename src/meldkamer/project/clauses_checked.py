"""Which clauses a test really checks: those that its assertions quote.

Why: a test that bears a mark and never looks at the clause proves nothing about it. Never: run a
test. Invariant: what counts is written in the test's own assertions, in what it hands to a helper
of its file that asserts, or in the parameters and constants that these name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_DEPTH = 4


def quoted(file: Path, function: str, parameters: Mapping[str, Any], module: Any) -> set[str]:
    """Every string that the assertions of a test function look at."""
    functions = _functions(file)
    node = functions.get(function)
    if node is None:
        return set()
    found: set[str] = set()
    for expression in _looked_at(node, functions):
        found |= set(_strings(expression, parameters, module))
    return found


@cache
def _functions(file: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(file.read_text("utf-8"))
    return {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _looked_at(
    node: ast.AST, functions: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]
) -> Iterator[ast.expr]:
    """What is asserted, expected to be raised, or handed to a helper that asserts."""
    # a name that is asserted later stands for what it was made of
    made = {
        target.id: one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    for one in ast.walk(node):
        if isinstance(one, ast.Assert):
            yield one.test
            for name in ast.walk(one.test):
                if isinstance(name, ast.Name) and name.id in made:
                    yield made[name.id]
        elif isinstance(one, ast.Call) and _name(one.func) in ("raises", "fail"):
            yield from (word.value for word in one.keywords)
        elif isinstance(one, ast.Call) and _asserts(functions.get(_name(one.func))):
            yield from one.args
            yield from (word.value for word in one.keywords)


def _asserts(node: ast.AST | None) -> bool:
    return node is not None and any(isinstance(one, ast.Assert) for one in ast.walk(node))


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _strings(expression: ast.expr, parameters: Mapping[str, Any], module: Any) -> Iterator[str]:
    for one in ast.walk(expression):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        elif isinstance(one, ast.Name):
            known = parameters.get(one.id, getattr(module, one.id, None))
            yield from _inside(known, _DEPTH)


def _inside(value: Any, depth: int) -> Iterator[str]:
    """The strings of a parameter or constant: itself, or what it holds."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        yield from _inside([*value.keys(), *value.values()], depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        items: Iterable[Any] = value
        for item in items:
            yield from _inside(item, depth - 1)
