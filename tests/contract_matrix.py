"""Prints what the contract suites of drivers found, as a table: a row for each case, a column for each driver."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

PROPERTY = "contract"
MARKS: Mapping[str, str] = {"passed": "ok", "skipped": "-", "failed": "FAILED", "error": "ERROR"}


class Contract:
    """Base of the contract suites. ``family`` and ``member`` name the table and the column."""

    family = ""
    member = ""

    @pytest.fixture(autouse=True)
    def _in_the_table(self, request: pytest.FixtureRequest, record_property: object) -> None:
        case = request.node.name.removeprefix("test_").replace("_", " ")
        assert callable(record_property)
        record_property(PROPERTY, [self.family, self.member, case])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for outcome, mark in MARKS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == PROPERTY:
                    family, member, case = value
                    tables.setdefault(family, {}).setdefault(case, {})[member] = mark
    for family, cases in sorted(tables.items()):
        _print(terminalreporter, family, cases)


def _print(terminal: pytest.TerminalReporter, family: str, cases: Mapping[str, Mapping[str, str]]) -> None:
    members = sorted({member for found in cases.values() for member in found})
    width = max(len(case) for case in cases)
    terminal.section(f"{family}: case x driver")
    terminal.write_line(" | ".join((" " * width, *members)))
    for case in sorted(cases):
        marks = (cases[case].get(member, "").ljust(len(member)) for member in members)
        terminal.write_line(" | ".join((case.ljust(width), *marks)))
