"""Jinja templates in Jinja's sandbox.

The sandbox keeps a template away from Python's insides. It does not keep it from taking all time and memory: foreign
templates are rendered in a process that the operating system limits, see ``template_process``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Undefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from drydock.bootaction.template_limits import LimitExceededError

#: What template code may raise: errors of Jinja's own and whatever Python makes of nonsense.
FAULTS = (
    TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
#: A site renders the same few templates for each of its nodes.
_KEPT = 64
_MOST_UNKNOWN = 8


class TemplateRenderer:
    """Not for several threads at a time."""

    def __init__(self) -> None:
        self._unknown: dict[str, None] = {}
        environment = SandboxedEnvironment(undefined=_noting(self._unknown))
        # Makes arbitrary amounts of text, and nobody boots from it.
        del environment.globals["lipsum"]
        self._compiled = lru_cache(maxsize=_KEPT)(environment.from_string)

    def render(self, source: str, variables: Mapping[str, Any], *, max_bytes: int) -> tuple[bytes, list[str]]:
        """The text in UTF-8 (lone surrogates are kept), and unknown names that were written as nothing.

        Raises one of ``FAULTS``, whose texts may quote variables, ``LimitExceededError`` and ``MemoryError``.
        """
        self._unknown.clear()
        chunks: list[str] = []
        size = 0
        for chunk in self._compiled(source).generate(variables):
            size += len(chunk)
            if size > max_bytes:
                raise _too_large(max_bytes)
            chunks.append(chunk)
        text = "".join(chunks).encode("utf-8", "surrogatepass")
        if len(text) > max_bytes:
            raise _too_large(max_bytes)
        return text, list(self._unknown)


def _noting(unknown: dict[str, None]) -> type[Undefined]:
    """Undefined is empty text, false, and has no items; it is noted in ``unknown`` where it is written or walked."""

    class Noted(Undefined):
        __slots__ = ()

        def __str__(self) -> str:
            self._note()
            return super().__str__()

        def __iter__(self) -> Any:
            self._note()
            return super().__iter__()

        def _note(self) -> None:
            if len(unknown) < _MOST_UNKNOWN and self._undefined_name is not None:
                unknown[f"{self._undefined_name!s:.100}"] = None

    return Noted


def _too_large(max_bytes: int) -> LimitExceededError:
    return LimitExceededError(f"the template makes more than {max_bytes} bytes")
