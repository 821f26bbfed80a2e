"""Regions and racks from their documents' data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.design.kinds.values import required, strings, text_map
from drydock.model.site import Rack, Region, Repository, Switch, TagDefinition

_ARCHES = ("amd64",)


def region(name: str, data: Mapping[str, Any]) -> Region:
    """Raises ``DesignInvalid``."""
    repositories = data.get("repositories")
    return Region(
        name=name,
        tag_definitions=tuple(_tag_definition(item) for item in data.get("tag_definitions", ())),
        authorized_keys=strings(data.get("authorized_keys")),
        repositories=None if repositories is None else _repositories(repositories),
        remove_unlisted=bool((repositories or {}).get("remove_unlisted", False)),
    )


def rack(name: str, data: Mapping[str, Any]) -> Rack:
    """Raises ``DesignInvalid``."""
    switches = data.get("tor_switches", {})
    return Rack(
        name=name,
        tor_switches=tuple(
            Switch(switch, body.get("mgmt_ip"), body.get("sdn_api_url", body.get("sdn_api_uri")))
            for switch, body in switches.items()
        ),
        location=text_map(data.get("location")),
        local_networks=strings(data.get("local_networks")),
        labels=text_map(data.get("labels")),
    )


def _tag_definition(data: Mapping[str, Any]) -> TagDefinition:
    tag = required(data, "tag", "tag_definitions: ")
    where = f"tag_definitions: {tag}: "
    return TagDefinition(tag, required(data, "definition_type", where), required(data, "definition", where))


def _repositories(data: Mapping[str, Any]) -> tuple[Repository, ...]:
    return tuple(_repository(name, body) for name, body in data.items() if name != "remove_unlisted")


def _repository(name: str, data: Mapping[str, Any]) -> Repository:
    def listed(key: str) -> tuple[str, ...] | None:
        return strings(data[key]) if key in data else None

    return Repository(
        name=name,
        url=data.get("url"),
        repo_type=data.get("repo_type"),
        gpgkey=data.get("gpgkey"),
        distributions=listed("distributions"),
        subrepos=listed("subrepos"),
        components=listed("components"),
        arches=listed("arches") or _ARCHES,
        options=text_map(data["options"]) if "options" in data else None,
    )
