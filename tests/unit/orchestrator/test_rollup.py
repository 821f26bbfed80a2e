"""What a task says of each of its nodes that failed."""

from __future__ import annotations

import pytest

from drydock.model.rollup import NodeOutcome, failure_lines
from drydock.model.task import ResultStatus


@pytest.mark.parametrize(
    ("reason", "last_error", "told"),
    [
        ("boot actions failed: greet (disk full)", "", "boot actions failed: greet (disk full)"),
        ("gave up after 45 min", "BMC: no answer", "gave up after 45 min; last error: BMC: no answer"),
        ("deploy: BMC: no answer", "BMC: no answer", "deploy: BMC: no answer"),
        ("", "", "failure"),
    ],
)
def test_each_failed_node_is_told_of_with_its_last_error(reason: str, last_error: str, told: str) -> None:
    outcomes = [
        NodeOutcome("n01", ResultStatus.SUCCESS, "destroy", "", "once"),
        NodeOutcome("n02", ResultStatus.FAILURE, "deploy", reason, last_error),
    ]
    assert failure_lines(outcomes) == (("n02", f"n02: {told}"),)
