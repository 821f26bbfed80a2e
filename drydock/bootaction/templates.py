"""Jinja templates in Jinja's sandbox.

The sandbox keeps a template away from Python's internals. It does not limit time and memory: untrusted
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

#: Exceptions of template code: Jinja's own and Python's.
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
#: Compiled templates to cache: a site renders the same few for each of its nodes.
_KEPT = 64
_MOST_UNKNOWN = 8


class TemplateRenderer:
    """Not safe for threads."""

    def __init__(self) -> None:
        self._unknown: dict[str, None] = {}
        environment = SandboxedEnvironment(undefined=_noting(self._unknown))
        # Generates arbitrary amounts of text; no boot action needs it.
        del environment.globals["lipsum"]
        self._compiled = lru_cache(maxsize=_KEPT)(environment.from_string)

    def render(self, source: str, variables: Mapping[str, Any], *, max_bytes: int) -> tuple[bytes, list[str]]:
        """The text in UTF-8 (lone surrogates are kept), and undefined names that were written as empty text.

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
    """An undefined type that is empty and false; writing or iterating over it adds its name to ``unknown``."""

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
