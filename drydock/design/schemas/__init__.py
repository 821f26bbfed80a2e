"""The JSON schemas of the document kinds, one YAML file each, compiled once per process."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs
import yaml

#: Kind in a document's ``schema`` to the file that describes its ``data``.
KINDS = {
    "Region": "region",
    "Rack": "rack",
    "NetworkLink": "network_link",
    "Network": "network",
    "HardwareProfile": "hardware_profile",
    "HostProfile": "host_profile",
    "BaremetalNode": "baremetal_node",
    "BootAction": "boot_action",
}


@cache
def validator(kind: str) -> jsonschema_rs.Draft4Validator:
    """The compiled validator for the ``data`` of a document of this kind."""
    shared = jsonschema_rs.Registry([("drydock:host_settings", _read("host_settings"))])
    return jsonschema_rs.Draft4Validator(_read(KINDS[kind]), registry=shared)


def _read(name: str) -> Any:
    return yaml.safe_load(resources.files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
