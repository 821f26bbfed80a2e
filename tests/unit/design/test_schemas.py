"""The schema files: what Deckhand wants of them, and what it does with them."""

from __future__ import annotations

import jsonschema_rs
import pytest

from drydock.design.schemas import KINDS, schema


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_a_document_that_deckhand_takes(kind: str) -> None:
    document = schema(kind)
    assert (document["schema"], document["metadata"]["name"]) == ("deckhand/DataSchema/v1", f"drydock/{kind}/v1")
    assert document["metadata"]["schema"] == "metadata/Control/v1"
    data = document["data"]
    jsonschema_rs.meta.validate(data)
    assert data["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert data["additionalProperties"] is False
    assert all(found.startswith("#/definitions/") for found in _references(data)), "Deckhand has this file only"


def test_what_profiles_and_nodes_share_is_the_same() -> None:
    profile, node = schema("HostProfile")["data"], schema("BaremetalNode")["data"]
    assert profile["definitions"] == node["definitions"]
    assert {**profile["properties"], "addressing": None} == {**node["properties"], "addressing": None}


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []
