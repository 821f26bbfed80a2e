"""Facts that a machine sends of itself: whatever they are, the site is planned and the node is shown."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from drydock.api.views.nodes import known_node_view
from drydock.model.hardware_sources import FROM_NODE
from drydock.orchestrator.services.hardware import HardwareService
from drydock.orchestrator.services.node_records import NodeRecords
from tests.factories.site import site
from tests.orchestrator.test_deployed_nodes import run
from tests.orchestrator.world import World

HUGE = 10**4000
DISK = {"name": "sda", "bus_address": "0:0.0.0"}
FACTS: dict[str, dict[str, Any]] = {
    "negative and huge": {"disks": [{**DISK, "size_bytes": -HUGE}]},
    "huge": {"disks": [{**DISK, "size_bytes": HUGE}], "cpu_count": HUGE, "memory_mib": -1},
    "NUL": {"vendor": "x\0y", "bios_version": "\0"},
    "half a character": {"vendor": "\ud800", "disks": [{"name": "\udfff", "bus_address": "\udfff"}]},
    "escapes of a terminal": {
        "vendor": "\x1b[2J\x9b31m\u202e",
        "disks": [{"name": "\x1b]0;x\x07", "bus_address": "1"}],
    },
    "long": {"vendor": "x" * 60_000},
    "many": {"disks": [{"serial": ""}] * 3500, "nics": [{"mac": ""}] * 500},
    "no numbers": {"cpu_count": float("inf"), "memory_mib": float("nan")},
}


@pytest.mark.parametrize("found", FACTS.values(), ids=FACTS)
def test_one_machine_spoils_no_plan(world: World, found: dict[str, Any]) -> None:
    design = site(["n01", "n02"])
    task = run(world, "deploy_nodes", world.store(design).ref)
    with world.database.unit_of_work() as uow:
        # A BMC's disks go before, without their names.
        for generator in (FROM_NODE, "redfish") if len(found.get("disks", ())) > 1 else (FROM_NODE,):
            marks = {"vendor": None, "bios_version": None, "disks": None, "nics": None}
            uow.build_data.add(
                node="n01",
                task_id=task.id,
                generator=generator,
                data_format="application/json",
                data_element=json.dumps({**marks, **found}),
            )
        uow.commit()
    began = time.monotonic()
    plan = world.plans.create(
        world.store(design.replace(b"size: 30g", b"size: 31g")).ref,
        node_filter=None,
        chosen=None,
        destroy_unlisted=False,
        created_by="tester",
    )
    assert time.monotonic() - began < 5
    nodes = [node for _, node in world.plans.nodes(plan.id, limit=10, after=-1, decision=None)]
    assert {node.name for node in nodes} == {"n01", "n02"}
    assert len(json.dumps([[reason.text for reason in node.reasons] for node in nodes])) < 40_000
    hardware = HardwareService(world.database, provisioner="fake", oob_drivers=["redfish"])
    view = known_node_view(NodeRecords(world.database, hardware, world.provisioner).of_node("n01"))
    shown = json.dumps({name: view[name] for name in ("facts", "facts_before")}, ensure_ascii=False)
    assert shown.isprintable()
    assert len(shown) < 200_000
