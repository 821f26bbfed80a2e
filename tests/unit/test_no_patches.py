"""Tests hand arguments and fakes to our code; they do not patch it."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
PATCH = ("monkeypatch" + ".setattr(", "mock" + ".patch", "monkeypatch" + ".setitem(")
#: The one name of the standard library that is patched: what names resolve to is the system's.
ALLOWED = ("monkeypatch" + '.setattr("socket.getaddrinfo", ',)


def test_nothing_is_patched() -> None:
    lines = [
        f"{file.relative_to(TESTS)}: {line.strip()}"
        for file in TESTS.rglob("*.py")
        for line in file.read_text().splitlines()
        if any(patch in line for patch in PATCH) and not any(allowed in line for allowed in ALLOWED)
    ]
    assert not lines, "pass an argument or a fake instead"
