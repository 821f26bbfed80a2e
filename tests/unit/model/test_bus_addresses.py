"""Bus addresses of a design and of a machine."""

from __future__ import annotations

import time

import pytest

from drydock.model.bus_addresses import matches, pattern_fault


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        ("0000:02:00.0", "0000:02:00.0"),
        ("02:00.0", "0000:02:00.0"),
        ("0000:af:1f.7", "0000:AF:1F.7"),
        (" 0000:AF:00.1 ", "af:0.1"),
        ("10000:01:00.0", "10000:01:00.0"),
        ("2:0.0.0", "2:0.0.0"),
        ("2:0:0:0", "2:0.0.0"),
        ("0:2.10.0", "0:2:10:0"),
        ("regexp:[02]:2.0.0", "0:2:0:0"),
        ("virtio0", "virtio0"),
        ("regexp:0000:02", "0000:02:00.0"),
        (r"regexp:0000:0[23]:00\.0", "0000:02:00.0"),
        (r"regexp:0000:0[23]:00\.0$", "03:00.0"),
        ("regexp:0000:AF:", "0000:af:00.0"),
        ("regexp:", "0000:02:00.0"),
    ],
)
def test_is_there(wanted: str, address: str) -> None:
    assert matches(wanted, address)


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        ("02:00.0", "0001:02:00.0"),
        ("02:00.0", "0000:02:00.1"),
        ("10000:01:00.0", "0000:01:00.0"),
        ("0000:02", "0000:02:00.0"),
        ("2:0.0.0", "0000:02:00.0"),
        ("2:0:0:0", "2:0.0.1"),
        ("2:0:0.0", "2:0:0:0"),
        ("", "0000:02:00.0"),
        ("regexp:02:", "0000:02:00.0"),
        (r"regexp:0000:0[23]:00\.0$", "0000:02:00.01"),
        ("regexp:(", "("),
        ("regexp:\ud800", "\ud800"),
    ],
)
def test_is_not_there(wanted: str, address: str) -> None:
    assert not matches(wanted, address)


@pytest.mark.parametrize("hostile", ["(.*)" * 20 + "X", "(a|a?)+" * 100 + "X", "(.*.*)*X", "((.?){30}){30}X"])
def test_no_expression_takes_long(hostile: str) -> None:
    began = time.process_time()
    assert not matches(f"regexp:{hostile}", "0000:02:00.0" + "a" * 200)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ("0000:(", None),
        ("regexp:0000:0[23]", None),
        ("regexp:(", "missing )"),
        ("regexp:(?!0000)", "(?!"),
        (r"regexp:(0)\1", r"\1"),
        ("regexp:((0{100}){100}){100}", "repetition"),
        ("regexp:\ud800", "no text"),
    ],
)
def test_what_is_wrong_with_an_expression(wanted: str, fault: str | None) -> None:
    found = pattern_fault(wanted)
    assert found is None if fault is None else fault in (found or "")
