"""The result of reading YAML: documents, and problems with their positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Problem:
    """``line`` and ``column`` count from 1. A warning has ``error`` False. ``source`` names the text."""

    text: str
    line: int
    column: int
    error: bool = True
    source: str = ""

    @classmethod
    def at_offset(cls, content: bytes, offset: int, text: str, source: str, lines: int = 0) -> Self:
        before = content[:offset]
        column = offset - (before.rfind(b"\n") + 1) + 1
        return cls(text, lines + before.count(b"\n") + 1, column, source=source)

    def __str__(self) -> str:
        return f"{self.text} ({place(self.source, self.line)}, column {self.column})"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    value: Any
    line: int
    problems: tuple[Problem, ...] = ()
    source: str = ""

    @property
    def place(self) -> str:
        return place(self.source, self.line)


@dataclass(frozen=True, slots=True)
class Fault:
    """A document that could not be read. ``document``: its offset in the text, in characters. ``final``: reading
    cannot go on with the next one. ``schema``: the document's schema.
    """

    problem: Problem
    document: int
    final: bool
    schema: str = ""


def place(source: str, line: int) -> str:
    """``line 7`` for a message, with the name of the file if there is one."""
    return f"{source} line {line}" if source else f"line {line}"
