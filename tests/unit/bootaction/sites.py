"""A node with a bit of everything, and boot actions for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from drydock.bootaction.render import RenderedAsset, TemplateLimits, render_assets
from drydock.bootaction.template_pool import Render, TemplatePool
from drydock.model.site import SiteDesign
from tests.factories.documents import boot_action, link, network, node, site

KEY = bytes(range(32))
LIMITS = TemplateLimits(max_seconds=2, max_bytes=4 * 1024 * 1024)
ULID = "00041061050R3GG28A1C60T3GF"
REPORT_URL = "http://localhost:9000/api/v1.0/bootactions/"
DESIGN_REF = "deckhand+http://deckhand.example/revisions/1"


@cache
def pool(limits: TemplateLimits = LIMITS) -> TemplatePool:
    """Shared by all tests; its processes end with ours."""
    return TemplatePool(limits, processes=1)


def renderer(limits: TemplateLimits = LIMITS) -> Render:
    """Of a task of its own, for which no template has reached a limit yet."""
    return pool(limits).for_task(object())


def fetched(url: str) -> bytes:
    return f"#fetched {url}\n".encode()


def one_site(*assets: dict[str, Any], **action: Any) -> SiteDesign:
    return site(
        network(dns={"domain": "example.invalid"}),
        network("oam", cidr="10.1.0.0/24"),
        link(allowed_networks=["pxe", "oam"]),
        node(
            primary_network="pxe",
            addressing=[
                {"network": "pxe", "address": "10.0.0.11"},
                {"network": "oam", "address": "dhcp"},
            ],
            metadata={"tags": ["a", "b"], "owner_data": {"z/k": "1", "y": "x y"}},
            interfaces={"eth0": {}, "eth1": {"sriov": {"vf_count": 8, "trustedmode": True}}},
        ),
        boot_action("act", assets=list(assets), **action),
    )


def rendered(
    *assets: dict[str, Any], fetch: Callable[[str], bytes] = fetched, limits: TemplateLimits = LIMITS
) -> tuple[RenderedAsset, ...]:
    found = one_site(*assets)
    return render_assets(
        found,
        "n1",
        [(action, ULID) for action in found.boot_actions],
        key=KEY,
        report_url=REPORT_URL,
        design_ref=DESIGN_REF,
        fetch=fetch,
        render=renderer(limits),
        max_bytes=limits.max_bytes,
    )


def file(data: str | None = None, *pipeline: str, **body: Any) -> dict[str, Any]:
    described = {"type": "file", "path": "/etc/x", "data": data, "data_pipeline": list(pipeline), **body}
    return {key: value for key, value in described.items() if value is not None}


def text(template: str) -> str:
    """What a template makes of the node."""
    (asset,) = rendered(file(template, "utf8_decode", "template"))
    return asset.content.decode()
