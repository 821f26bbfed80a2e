"""Finds the reports that a machine has to send for its unpacked boot actions. Unpacked files are never run.

A unit's ``ExecStart=`` names a script; the script posts to ``…/bootaction/<ULID>`` with a key in ``X-Bootaction-Key``.
Both must occur literally: a URL that a script assembles from variables is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from drydock.simulator.machine import BootAction

REPORT_URL = re.compile(r"https?://[^\s'\"<>\\]+?/bootactions?/(?P<id>[0-7][0-9A-HJKMNP-TV-Z]{25})(?![0-9A-Za-z])")
KEY_HEADER = re.compile(r"X-Bootaction-Key:\s*([0-9a-fA-F]{64})(?![0-9a-fA-F])", re.IGNORECASE)
EXEC_START = re.compile(r"^\s*ExecStart\s*=\s*[-@:+!]*(?P<path>/\S+)", re.MULTILINE)
LARGEST_TEXT = 4 * 1024 * 1024


def owed_reports(units: Mapping[str, bytes], files: Mapping[str, bytes], key: str) -> list[BootAction]:
    """Each boot action once, in the order of the units and then of their scripts; ``key`` if the text has none.

    Without a unit nothing would run, so there is no report.
    """
    if not units:
        return []
    found: dict[str, BootAction] = {}
    for text in _texts_in_order(units, files):
        header = KEY_HEADER.search(text)
        for match in REPORT_URL.finditer(text):
            action = BootAction(match["id"], match[0], header[1].lower() if header else key)
            found.setdefault(action.id, action)
    return list(found.values())


def _texts_in_order(units: Mapping[str, bytes], files: Mapping[str, bytes]) -> Iterator[str]:
    rest = dict(files)
    for content in units.values():
        unit = _text(content)
        yield unit
        for match in EXEC_START.finditer(unit):
            script = rest.pop(match["path"], None)
            if script is not None:
                yield _text(script)
    yield from map(_text, rest.values())


def _text(content: bytes) -> str:
    """The text of a file; empty if it is not text."""
    if len(content) > LARGEST_TEXT or b"\0" in content:
        return ""
    return content.decode(errors="replace")
