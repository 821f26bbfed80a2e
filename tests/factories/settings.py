"""Settings of services, as small as tests like them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from drydock.bootaction.preparation import BootPreparation, BootSettings
from drydock.bootaction.render import TemplateLimits
from drydock.errors import DesignNotFound
from drydock.orchestrator.services.plan_contents import ContentSettings
from drydock.references.references import References

SECRET = bytes(range(32))
#: Of references that are fetched from this machine by HTTP.
OF_HTTP: dict[str, Any] = {
    "max_bytes": 1 << 20,
    "allowed_schemes": ["http"],
    "allowed_hosts": ["127.0.0.1"],
    "connect_timeout": 30.0,
    "read_timeout": 30.0,
}


def no_snapshot(digest: str) -> bytes:
    raise DesignNotFound(digest)


def references(**changes: Any) -> References:
    """Of stored designs, of which there are none, and of nothing else."""
    settings: dict[str, Any] = {
        "allowed_schemes": ["drydock"],
        "allowed_hosts": [],
        "file_roots": [],
        "max_bytes": 1000,
        "connect_timeout": 1.0,
        "read_timeout": 1.0,
        "read_snapshot": no_snapshot,
        "ca_file": None,
        "allowed_addresses": ["*"],
        "tokens": None,
        "retries": None,
        "cache": None,
    }
    return References(**settings | changes)


def content_settings(**changes: Any) -> ContentSettings:
    settings = ContentSettings(
        secrets=[SECRET], limits=TemplateLimits(max_bytes=1 << 20, max_seconds=10), fetches=8, seconds=20
    )
    return replace(settings, **changes)


def boot_settings(url: str = "http://localhost:9000/api/v1.0", **changes: Any) -> BootSettings:
    """``url``: of the API. No report tool and no events of the installer."""
    settings = BootSettings(
        secrets=[SECRET],
        report_url=f"{url}/bootaction/",
        bootdata_url=f"{url}/bootdata/",
        lifetime_hours=24,
        limits=TemplateLimits(max_bytes=1 << 20, max_seconds=10),
        fetches=8,
        renderers=4,
        start_units=True,
        installer_events=False,
        report_tool=None,
    )
    return replace(settings, **changes)


@cache
def boot_preparation() -> BootPreparation:
    """One for all tests of a process, as it starts a process of its own that renders templates. It fetches by HTTP."""
    return BootPreparation(boot_settings(), references(**OF_HTTP).fetch)
