"""DD4002, Bootaction pkg_list Validation."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, boot_action, compiled, errors, node


def packages(**found: str | None) -> list[Body]:
    return [{"type": "pkg_list", "data": found}]


@pytest.mark.parametrize("version", [None, "", "1.2-3", "5:24.0.7-1~ubuntu.22.04~jammy", "2.0+dfsg-1-2"])
def test_versions(version: str | None) -> None:
    assert compiled(node(), boot_action(assets=packages(vim=version))).valid


@pytest.mark.parametrize("version", ["1.2", "not a version", "1:2", "-1", "1.2-3 "])
def test_no_versions(version: str) -> None:
    design = compiled(node(), boot_action(assets=packages(vim=version)))
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.rule, found.documents[0].name) == ("DD4002", "package-lists", "action")
    assert f"Version specifier {version} is not a valid format." in found.message


def test_no_packages_at_all() -> None:
    assert errors(compiled(node(), boot_action(assets=packages()))) == [
        "Bootaction pkg_list Validation: Bootaction action: a pkg_list has no packages."
    ]
    elsewhere = [{"type": "pkg_list", "location": "http://127.0.0.1/list", "location_pipeline": []}]
    assert compiled(node(), boot_action(assets=elsewhere)).valid
