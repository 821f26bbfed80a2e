"""docs/reference/boot-actions.md: its example is what it says, and its lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from drydock.bootaction.context import action_variables, node_variables
from drydock.bootaction.packages import merge_packages
from drydock.bootaction.pipeline import SEGMENTS
from drydock.bootaction.render import render_assets
from drydock.bootaction.template_limits import MAX_SOURCE
from drydock.design.template_check import VARIABLES
from drydock.model.pipeline import FORMS, TEMPLATE
from tests.factories.documents import compiled, errors, link, network, node, warnings
from tests.unit.bootaction.sites import DESIGN_REF, KEY, REPORT_URL, ULID, one_site, renderer

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "boot-actions.md").read_text()
SCHEMA = Path(__file__).resolve().parents[3] / "drydock" / "design" / "schemas" / "boot_action.yaml"


def test_the_example() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    given = node(primary_network="pxe", metadata={"tags": ["a"]})
    design = compiled(network(dns={"domain": "example.invalid"}), link(), given, yaml.safe_load(example))
    assert errors(design) == warnings(design, "DD5030") == []
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return b"#!/bin/sh\n"

    assets = render_assets(
        design.site,
        "n1",
        [(action, ULID) for action in design.site.boot_actions],
        key=KEY,
        report_url=REPORT_URL,
        design_ref="deckhand+http://a/b",
        fetch=fetch,
        render=renderer(),
        max_bytes=1 << 20,
    )
    contents = {asset.path: asset.content.decode() for asset in assets}
    shown = dict(re.findall(r"```text (\S+)\n(.*?)```", PAGE, re.DOTALL))
    assert set(shown) == {"/etc/motd", "/etc/packed.conf"}
    # A line break at the end of a template is dropped.
    assert {path: contents[path] for path in shown} == {path: text.removesuffix("\n") for path, text in shown.items()}
    assert asked == ["https://files.example.org/join?host=n1&design=deckhand%2Bhttp%3A//a/b"]
    assert merge_packages(assets) == {"chrony": "4.3-2", "jq": None}


def test_segments_and_variables_are_those_there_are() -> None:
    assert set(FORMS) == {*SEGMENTS, TEMPLATE}
    site = one_site()
    action = action_variables(ULID, key=KEY, report_url=REPORT_URL, design_ref=DESIGN_REF)
    given = {"node": node_variables(site, site.nodes["n1"]), "action": action}
    assert {name: set(found) for name, found in given.items()} == {name: set(keys) for name, keys in VARIABLES.items()}
    for name, keys in VARIABLES.items():
        assert all(f"`{name}.{key}`" in PAGE for key in keys)
    assert all(f"| `{segment}` |" in PAGE for segment in FORMS)
    assert f"{MAX_SOURCE:,} characters" in PAGE


def test_every_key_is_explained() -> None:
    properties = yaml.safe_load(SCHEMA.read_text())["data"]["properties"]
    keys = {*properties, *properties["assets"]["items"]["properties"]}
    assert [key for key in sorted(keys) if f"| `{key}` |" not in PAGE] == []
