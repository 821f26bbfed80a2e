"""Which assets go into the tarball whose units every client enables."""

from __future__ import annotations

import pytest

from drydock.bootaction.placing import placed_as, without_overwritten
from drydock.bootaction.rendered import RenderedAsset
from drydock.model.boot_asset import AssetType, BootAsset

INSTALL = b"[Service]\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"
PLAIN = b"[Service]\nExecStart=/bin/true\n# [Install]\n"


@pytest.mark.parametrize(
    ("name", "content", "enable", "placed"),
    [
        ("a.service", INSTALL, None, "unit"),
        ("a.service", INSTALL.replace(b"\n", b"\r\n"), None, "unit"),
        ("a.timer", b" [Install] \n", None, "unit"),
        ("a.service", PLAIN, None, "file"),
        ("a.service", PLAIN, True, "unit"),
        ("a.service", INSTALL, False, "file"),
        ("worker@.service", INSTALL, None, "file"),
        ("worker@.service", INSTALL, True, "file"),
        ("worker@1.service", INSTALL, None, "unit"),
        ("ssh.service.d/10-limits.conf", INSTALL, True, "file"),
        ("ssh.service.d/x.service", INSTALL, None, "file"),
        ("multi-user.target.wants/x.service", INSTALL, None, "file"),
        ("a.conf", INSTALL, None, "file"),
        ("a", INSTALL, None, "file"),
    ],
)
def test_units(name: str, content: bytes, enable: bool | None, placed: str) -> None:
    asset = BootAsset(AssetType.UNIT, path=f"/etc/systemd/system/{name}", enable=enable)
    assert placed_as(asset, content) == placed


def test_other_assets_are_what_they_are() -> None:
    for kind in (AssetType.FILE, AssetType.PKG_LIST):
        assert placed_as(BootAsset(kind, path="/etc/systemd/system/a.service"), INSTALL) is kind


def test_the_last_of_one_path_counts_in_whichever_tarball() -> None:
    def rendered(kind: AssetType, path: str | None, content: bytes) -> RenderedAsset:
        return RenderedAsset("a", kind, path, 0o600, content)

    lists = [rendered(AssetType.PKG_LIST, None, content) for content in (b"{}", b"[]")]
    first, second = rendered(AssetType.UNIT, "/u", b"1"), rendered(AssetType.FILE, "/u", b"2")
    assert without_overwritten([first, lists[0], second, lists[1]]) == (lists[0], second, lists[1])
