"""GET /nodes/{hostname}."""

from __future__ import annotations

import json

from drydock.model.hardware_facts import HardwareFacts, facts_document
from tests.api.conftest import Client
from tests.api.seeds import Seeds


def keep(seeds: Seeds, bios_version: str) -> str:
    _, (task,) = seeds.tree("n01")
    element = json.dumps(facts_document(HardwareFacts(bios_version=bios_version)))
    with seeds.database.unit_of_work() as uow:
        uow.build_data.add(
            node="n01", task_id=task.id, generator="redfish", data_format="application/json", data_element=element
        )
        uow.commit()
    return str(task.id)


def test_what_is_known_of_a_node(reader: Client, seeds: Seeds) -> None:
    keep(seeds, "1.0")
    assert reader.get("/nodes/n01").json["facts_before"] is None
    task_id = keep(seeds, "1.1")
    shown = reader.get("/nodes/N01").json
    assert (shown["hostname"], shown["facts"]["bios_version"]) == ("n01", "1.1")
    assert shown["facts_before"]["bios_version"] == "1.0"
    assert [(source["generator"], source["task_id"]) for source in shown["sources"]] == [("redfish", task_id)]


def test_other_build_data_is_no_facts(reader: Client, seeds: Seeds) -> None:
    keep(seeds, "1.0")
    keep(seeds, "2" * 100_000)
    assert reader.get("/nodes/n01").json["facts"]["bios_version"] == "1.0"


def test_what_is_not(reader: Client, seeds: Seeds) -> None:
    seeds.build_data("n02", seeds.tree("n02")[1][0].id, "no facts")
    for name in ("n02", "n99"):
        unknown = reader.get(f"/nodes/{name}")
        assert (unknown.status_code, unknown.json["reason"]) == (404, "node_not_found")
