"""Every asset of three real sites, byte for byte as upstream Drydock renders it."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest

from drydock.bootaction.packages import merge_packages
from drydock.bootaction.render import render_assets
from drydock.bootaction.tarball import pack
from drydock.design.compiler import compile_design
from tests.unit.bootaction.sites import fetched, renderer
from tests.unit.design import real_sites


@real_sites.needs_real_sites
@pytest.mark.parametrize("name", real_sites.EXPECTED)
def test_rendered_assets(name: str) -> None:
    site = compile_design(real_sites.design(name)).site
    wanted = real_sites.expected(name)["assets"]
    found, modes = [], {}
    for node in site.nodes:
        actions = [(action, wanted["action_id_ulid"]) for action in site.boot_actions if node in action.target_nodes]
        assets = render_assets(
            site,
            node,
            actions,
            key=bytes.fromhex(wanted["action_key_hex"]),
            report_url=wanted["report_url"],
            design_ref=wanted["design_ref"],
            fetch=fetched,
            render=renderer(),
            max_bytes=1 << 20,
        )
        with tarfile.open(fileobj=io.BytesIO(pack(assets))) as archive:
            modes.update({(node, member.name): oct(member.mode) for member in archive})
        numbers: dict[str, int] = {}
        for asset in assets:
            number = numbers[asset.action] = numbers.get(asset.action, -1) + 1
            found.append(
                {
                    "bootaction": asset.action,
                    "node": node,
                    "asset": number,
                    "type": asset.type,
                    "path": asset.path,
                    "permissions": asset.mode,
                    "tar_mode": modes[node, asset.path or ""],
                    "sha256": hashlib.sha256(asset.content).hexdigest(),
                    "size": len(asset.content),
                }
            )
        assert dict(merge_packages(assets)) == wanted["packages"].get(node, {})

    def place(item: dict[str, object]) -> tuple[str, str, str]:
        return str(item["node"]), str(item["bootaction"]), str(item["asset"])

    assert sorted(found, key=place) == sorted(wanted["rendered"], key=place)
