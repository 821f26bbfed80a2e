"""Jinja templates in a sandbox, with bounds on time, memory and output.

Jinja's sandbox keeps a template away from Python's insides, but not from filling the memory or looping for ever. Here
every loop, call, filter and operator that can make something large asks the budget of the rendering first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, wraps
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.environment import Template
from jinja2.exceptions import TemplateError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from drydock.bootaction.template_budget import (
    MAX_INTEGER_BITS,
    Budget,
    LimitExceededError,
    TemplateLimits,
    check_widths,
)

MAX_SOURCE = 256 * 1024
#: Neither is a name a template can say: the budget travels among the variables, our filters among the filters.
_BUDGET = "the budget"
_EACH, _JOINED = "each of", "joined with"
#: What template code may raise: errors of Jinja's own and whatever Python makes of nonsense.
FAULTS = (
    TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def render_template(source: str, variables: Mapping[str, Any], limits: TemplateLimits) -> str:
    """The rendered text. Raises one of ``FAULTS``; their texts may quote variables."""
    if len(source) > MAX_SOURCE:
        raise LimitExceededError(f"the template is longer than {MAX_SOURCE} characters")
    budget = Budget(limits)
    chunks: list[str] = []
    size = 0
    for chunk in _compiled(source).generate({**variables, _BUDGET: budget}):
        size += len(chunk)
        if size > limits.max_bytes:
            raise LimitExceededError(f"the template makes more than {limits.max_bytes} bytes")
        chunks.append(chunk)
    return "".join(chunks)


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    """A site renders the same few templates for each of its nodes."""
    return _environment().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    return _BoundedEnvironment()


def _budget(context: Context) -> Budget:
    budget = context.parent[_BUDGET]
    assert isinstance(budget, Budget)
    return budget


def _made(context: Context, value: Any) -> Any:
    budget = _budget(context)
    budget.make(budget.extent(value))
    return value


class _BoundedEnvironment(SandboxedEnvironment):
    """NOTE: operators listed in ``intercepted_binops`` are not folded when a template is compiled, without a budget."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(finalize=pass_context(_made))
        self.filters = {name: _bounded(name, function) for name, function in self.filters.items()}
        self.filters |= {_EACH: _each, _JOINED: _joined}
        # Makes arbitrary amounts of text, and nobody boots from it.
        del self.globals["lipsum"]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = _Instrument().visit(super()._parse(source, name, filename))
        assert isinstance(template, nodes.Template)
        return template

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        # The sandbox wraps str.format in a function, which knows what it wraps.
        function = getattr(__obj, "__wrapped__", __obj)
        receiver = getattr(function, "__self__", None)
        known = receiver if isinstance(receiver, str | bytes | list | dict | set) else None
        name = getattr(function, "__name__", "") if known is not None else ""
        _budget(__context).check_call(name, [known, *args, *kwargs.values()])
        return _made(__context, super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * (abs(right) if operator == "**" else 1) + right.bit_length()
            if bits > MAX_INTEGER_BITS:
                raise LimitExceededError("a number too large in the template")
        else:
            if operator == "%" and isinstance(left, str):
                check_widths(left)
            _budget(context).check_call("replace" if operator == "*" else operator, [left, right])
        return _made(context, super().call_binop(context, operator, left, right))


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that asks the budget before and after. It is given the context, and hands on what it wants of it."""
    wants = getattr(function, "jinja_pass_arg", None)

    @pass_context
    @wraps(function)
    def bounded(context: Context, *args: Any, **kwargs: Any) -> Any:
        _budget(context).check_call(name, [*args, *kwargs.values()])
        available = {"context": context, "eval_context": context.eval_ctx, "environment": context.environment}
        leading = [] if wants is None else [available[wants.name]]
        return _made(context, function(*leading, *args, **kwargs))

    return bounded


@pass_context
def _each(context: Context, iterable: Iterable[Any], literal: int) -> Iterator[Any]:
    """The items of a loop; ``literal`` is how much plain text one turn of it may write."""
    budget = _budget(context)
    for item in iterable:
        budget.make(literal)
        yield item


@pass_context
def _joined(context: Context, *parts: Any) -> str:
    _budget(context).check_call("joined", parts)
    return str(_made(context, "".join(map(str, parts))))


class _Instrument(NodeTransformer):
    """Loops and ``~`` have no hook in the sandbox: this puts a filter of ours in their place."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802
        self.generic_visit(node)
        assert isinstance(node.iter, nodes.Expr)
        literal = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        node.iter = _filter(_EACH, node.iter, nodes.Const(literal, lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        first, *others = node.nodes
        return _filter(_JOINED, first, *others)


def _filter(name: str, first: nodes.Expr, *others: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(first, name, list(others), [], None, None, lineno=first.lineno)
