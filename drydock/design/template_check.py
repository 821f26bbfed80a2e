"""Checks a template without rendering it: its syntax, and undefined names.

Untrusted text is parsed in the API's or worker's own process, so its length is limited.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

#: Maximum characters of code in a template that is parsed; longer ones are checked only when rendered.
MOST_CODE = 8 * 1024
_BRACES = re.compile(r"\{[{%]|[%}]\}")
#: Variables of templates, see docs/reference/boot-actions.md.
VARIABLES: Mapping[str, frozenset[str]] = {
    "node": frozenset({"hostname", "domain", "tags", "labels", "network", "interfaces"}),
    "action": frozenset({"action_id", "action_key", "report_url", "design_ref"}),
}
_METHODS = frozenset(dir(dict))
#: Names that Jinja itself defines in some contexts.
_SPECIAL = frozenset({"loop", "caller", "varargs", "kwargs", "self", "super"})
#: Tests and filters meant for names that may be undefined.
_GUARDS = frozenset({"defined", "undefined", "default", "d"})


@dataclass(frozen=True, slots=True)
class TemplateFindings:
    """``fault``: why it can never be rendered, else None. ``unknown``: undefined names as written."""

    fault: str | None = None
    unknown: tuple[str, ...] = ()


def code_size(source: str) -> int:
    """Characters between braces, and all after an unclosed brace."""
    size, begun = 0, None
    for brace in _BRACES.finditer(source):
        if brace.group()[0] == "{":
            begun = brace.start() if begun is None else begun
        elif begun is not None:
            size, begun = size + brace.end() - begun, None
    return size + (0 if begun is None else len(source) - begun)


def check_template(source: str, networks: Container[str]) -> TemplateFindings:
    """``networks``: names that ``node.network`` may have. No findings for a template beyond ``MOST_CODE``."""
    if code_size(source) > MOST_CODE:
        return TemplateFindings()
    environment = SandboxedEnvironment()
    del environment.globals["lipsum"]
    try:
        tree = environment.parse(source)
    except TemplateError as exc:
        line = getattr(exc, "lineno", None)
        return TemplateFindings(f"{exc.message or 'syntax error':.200}" + (f" (line {line})" if line else ""))
    except (RecursionError, ValueError):
        # The parser's recursion or integer limit.
        return TemplateFindings("an expression is too long or too deep")
    try:
        return TemplateFindings(unknown=tuple(dict.fromkeys(_unknown(environment, tree, networks))))
    except (RecursionError, TemplateError):
        return TemplateFindings()


def _unknown(environment: SandboxedEnvironment, tree: nodes.Template, networks: Container[str]) -> Iterator[str]:
    guarded = {id(name) for guard in _guards(tree) for name in (guard, *guard.find_all(nodes.Expr))}
    declared = {*environment.globals, *_SPECIAL, *_declared(tree)}
    ours = set(VARIABLES) - declared
    mentioned = {name.name for name in tree.find_all(nodes.Name) if id(name) not in guarded}
    yield from sorted(mentioned - ours - declared)
    for kind in (nodes.Getattr, nodes.Getitem):
        for part in tree.find_all(kind):
            path = None if id(part) in guarded else _path(part)
            if path is not None and path[0] in ours and not _is_there(path, networks):
                yield ".".join(path)


def _declared(tree: nodes.Template) -> Iterator[str]:
    """Names that the template itself defines, in any scope.

    NOTE: not ``jinja2.meta``, which compiles the template and evaluates constant expressions.
    """
    yield from (name.name for name in tree.find_all(nodes.Name) if name.ctx != "load")
    yield from (macro.name for macro in tree.find_all(nodes.Macro))
    yield from (imported.target for imported in tree.find_all(nodes.Import))
    for imports in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in imports.names)


def _is_there(path: tuple[str, ...], networks: Container[str]) -> bool:
    """True unless the name is certainly undefined. Parts of a longer path are checked by themselves."""
    variable, *names = path
    if names[0] in _METHODS:
        return True
    if names[0] not in VARIABLES[variable]:
        return len(names) > 1
    if (variable, names[0]) != ("node", "network") or len(names) != 2 or names[1] in _METHODS:
        return True
    return names[1] == "default" or names[1] in networks


def _guards(tree: nodes.Template) -> Iterator[nodes.Expr]:
    """Names in conditions and under tests or filters for undefined names, which are not faults."""
    for test in (*tree.find_all(nodes.Test), *tree.find_all(nodes.Filter)):
        if test.name in _GUARDS and test.node is not None:
            yield test.node
    yield from (branch.test for branch in tree.find_all(nodes.If) if isinstance(branch.test, nodes.Expr))
    yield from (choice.test for choice in tree.find_all(nodes.CondExpr))


def _path(part: nodes.Expr) -> tuple[str, ...] | None:
    """``node.network.oam`` as its names, if all of them are literal."""
    names: list[str] = []
    here = part
    while isinstance(here, nodes.Getattr | nodes.Getitem):
        if isinstance(here, nodes.Getattr):
            names.append(here.attr)
        elif isinstance(here.arg, nodes.Const) and isinstance(here.arg.value, str):
            names.append(here.arg.value)
        else:
            return None
        here = here.node
    return (here.name, *reversed(names)) if isinstance(here, nodes.Name) else None
