"""The site that comes with Drydock."""

from __future__ import annotations

from pathlib import Path

import pytest

from drydock.bootaction.render import render_assets
from drydock.design.compiler import CompiledDesign, compile_design
from drydock.design.provisioning import provisioned_node
from tests.unit.bootaction.sites import renderer

EXAMPLE = Path(__file__).resolve().parents[3] / "etc" / "drydock" / "examples" / "site.yaml"
ULID = "00041061050R3GG28A1C60T3GF"
URL = "http://127.0.0.1:9000/api/v1.0/bootaction/"


@pytest.fixture(scope="module")
def example() -> CompiledDesign:
    return compile_design(EXAMPLE.read_bytes())


def test_it_is_valid_without_a_warning(example: CompiledDesign) -> None:
    assert [message.message for message in example.messages if message.level != "Info"] == []
    assert example.valid


def test_twelve_machines_in_two_racks(example: CompiledDesign) -> None:
    nodes = example.site.nodes
    assert list(nodes) == [f"n{number:02d}" for number in range(1, 13)]
    assert {node.rack for node in nodes.values()} == set(example.site.racks)
    for name in nodes:
        node = provisioned_node(example.site, name)
        assert node.bmc is not None
        assert node.bmc.type == "redfish"
        assert node.bmc.address is not None
        assert node.image == "noble"


def test_its_boot_actions(example: CompiledDesign) -> None:
    assert [(action.name, action.signaling, len(action.target_nodes)) for action in example.site.boot_actions] == [
        ("first-boot", True, 12),
        ("worker-sysctl", False, 9),
        ("control-plane", True, 3),
    ]


def test_scripts_report_where_and_with_what_they_should(example: CompiledDesign) -> None:
    site = example.site
    key = bytes(range(32))
    for name in site.nodes:
        actions = [(action, ULID) for action in site.boot_actions if name in action.target_nodes]
        assets = render_assets(
            site,
            name,
            actions,
            key=key,
            report_url=URL,
            design_ref="x",
            fetch=lambda _: b"",
            render=renderer(),
            max_bytes=1 << 20,
        )
        scripts = [asset.content.decode() for asset in assets if (asset.path or "").startswith("/opt/drydock/")]
        units = [asset.content.decode() for asset in assets if asset.type == "unit"]
        assert len(scripts) == len(units) == len([action for action, _ in actions if action.signaling])
        for script in scripts:
            assert f"'{URL}{ULID}'" in script
            assert f"X-Bootaction-Key: {key.hex()}" in script
            assert '{"status": "Success"' in script
            assert "{{" not in script
