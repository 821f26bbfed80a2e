"""What reading YAML gives: documents, and what is wrong with them, with the places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Problem:
    """``line`` and ``column`` count from 1. A mere suspicion has ``error`` False. ``source`` names the text."""

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
    """What reading failed at. ``document``: where the document begins that could not be read, in characters from the
    beginning of the text. ``final``: no use to go on with the next one. ``schema``: what the document says it is.
    """

    problem: Problem
    document: int
    final: bool
    schema: str = ""


def place(source: str, line: int) -> str:
    """For a message: ``line 7``, or with the name of the file."""
    return f"{source} line {line}" if source else f"line {line}"
