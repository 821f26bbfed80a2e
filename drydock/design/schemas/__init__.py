"""The JSON schemas of the document kinds, compiled once per process.

One YAML file each, a deckhand/DataSchema document, which Deckhand can use too.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs
import yaml

from drydock.design.schema_faults import SchemaWalk

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
    return jsonschema_rs.Draft4Validator(schema(kind)["data"])


@cache
def walk(kind: str) -> SchemaWalk:
    """The walk that finds the faults of invalid data."""
    return SchemaWalk(schema(kind)["data"])


def schema(kind: str) -> Any:
    """The file: a deckhand/DataSchema/v1 document, whose ``data`` is the JSON schema."""
    text = resources.files(__package__).joinpath(f"{KINDS[kind]}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)
