from __future__ import annotations

import pytest

from drydock.counting import counted


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("node",), "0 nodes"),
        (1, ("node",), "1 node"),
        (2, ("boot action",), "2 boot actions"),
        (1, ("subtask has", "subtasks have"), "1 subtask has"),
        (2, ("subtask has", "subtasks have"), "2 subtasks have"),
    ],
)
def test_one_is_one(number: int, words: tuple[str, ...], text: str) -> None:
    assert counted(number, *words) == text
