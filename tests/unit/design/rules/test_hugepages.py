"""DD1008."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, codes, compiled, errors, node


@pytest.mark.parametrize("params", [{}, {"quiet": True}, {"hugepages": 4, "hugepagesz": "1G"}])
def test_both_or_none(params: Body) -> None:
    assert compiled(node(platform={"kernel_params": params})).valid


@pytest.mark.parametrize(("given", "lacking"), [("hugepages", "hugepagesz"), ("hugepagesz", "hugepages")])
def test_one_alone(given: str, lacking: str) -> None:
    design = compiled(node(platform={"kernel_params": {given: "1"}}))
    assert codes(design) == ["DD1008"]
    assert errors(design)[0].endswith(f"on BaremetalNode n1: {lacking} is missing")
