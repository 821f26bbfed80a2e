"""A few of the broken designs that ``python -m tests.fuzz.designs`` makes by the thousand."""

from __future__ import annotations

import pytest

from tests.fuzz.designs import run_case, seeds
from tests.fuzz.mutations import mutated


def test_cases_can_be_run_again() -> None:
    found = seeds(field=False)
    assert [mutated(found, number) for number in range(50)] == [mutated(found, number) for number in range(50)]


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_messages_and_never_an_exception(first: int) -> None:
    found = seeds(field=False)
    for number in range(first, first + 50):
        case = run_case(found, number)
        assert not case.failure, f"case {number}\n{case.failure}"
        assert case.seconds < 2
        assert case.raised < 500
