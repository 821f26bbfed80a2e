"""DD3001."""

from __future__ import annotations

import pytest

from drydock.design.rules.platform import PlatformSelection
from drydock.design.validation import validate
from tests.factories.documents import node, site

IMAGES = {"jammy": ["ga-22.04", "hwe-22.04"]}


@pytest.mark.parametrize("platform", [{}, {"image": "jammy"}, {"image": "jammy", "kernel": "hwe-22.04"}])
def test_what_the_provisioner_has(platform: dict[str, str]) -> None:
    messages = list(validate(site(node(platform=platform)), [PlatformSelection(IMAGES)]))
    assert [message.message for message in messages] == ["Platform Selection: Validation successful."]


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        ({"image": "bionic"}, "invalid image bionic"),
        ({"image": "jammy", "kernel": "6.6"}, "invalid kernel 6.6"),
    ],
)
def test_what_it_has_not(platform: dict[str, str], text: str) -> None:
    (found,) = validate(site(node(platform=platform)), [PlatformSelection(IMAGES)])
    assert (found.code, found.error) == ("DD3001", True)
    assert found.message == f"Platform Selection: Platform Validation: {text} on BaremetalNode n1"


def test_without_a_provisioner_nothing_is_held_against_a_design() -> None:
    messages = list(validate(site(node(platform={"image": "bionic"})), [PlatformSelection()]))
    assert {message.level.value for message in messages} == {"Info"}
    assert "were not checked" in messages[0].message


def test_a_provisioner_that_gives_no_answer_costs_a_warning() -> None:
    messages = list(validate(site(node(platform={"image": "bionic"})), [PlatformSelection(unanswered="it is away")]))
    assert [(message.level.value, message.message) for message in messages] == [
        ("Warning", "Platform Selection: Images and kernels were not checked: it is away."),
        ("Info", "Platform Selection: Validation successful."),
    ]
