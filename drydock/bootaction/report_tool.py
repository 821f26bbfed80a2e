"""``drydock-report`` for a node: the tool, and a settings file for each boot action that reports."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drydock.bootaction.rendered import RenderedAsset
from drydock.bootaction.scripts import assignments, report_script
from drydock.model.boot_asset import AssetType, BootActionDesign

ACTIONS_PATH = "/etc/drydock/actions"
#: Name of the boot action of these assets.
OWNER = "drydock-report"
_UNFIT = re.compile(r"[^A-Za-z0-9._-]|^\.")


def report_tool(
    path: str, actions: Sequence[tuple[BootActionDesign, str]], *, key: bytes, report_url: str
) -> tuple[RenderedAsset, ...]:
    """The tool at ``path``, and settings files for the boot actions (each with its ULID) that signal."""
    assets = [_file(path, 0o755, report_script())]
    taken: set[str] = set()
    for action, ulid in actions:
        if action.signaling:
            name = _UNFIT.sub("_", action.name)
            if name in taken:
                name = f"{name}-{ulid}"
            taken.add(name)
            values = {
                "DRYDOCK_ACTION_ID": ulid,
                "DRYDOCK_REPORT_URL": report_url,
                "DRYDOCK_BOOTACTION_KEY": key.hex(),
            }
            assets.append(_file(f"{ACTIONS_PATH}/{name}.env", 0o600, assignments(values)))
    return tuple(assets)


def _file(path: str, mode: int, content: str) -> RenderedAsset:
    return RenderedAsset(OWNER, AssetType.FILE, path, mode, content.encode())
