"""Facts out of build data, and of several finders."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from drydock.model.build_data import BuildData
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, LldpNeighbour, NicFacts, facts_document
from drydock.model.hardware_sources import FROM_NODE, FoundFacts, found_facts, merged, read_facts

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FULL = HardwareFacts(
    vendor="Example",
    cpu_count=16,
    disks=(DiskFacts(name="sda", serial="S", size_bytes=1, rotational=True),),
    nics=(NicFacts(mac="02:00:00:00:00:01", neighbour=LldpNeighbour(system_name="tor1")),),
)


def stored(element: str, generator: str = "redfish", data_format: str = "application/json") -> BuildData:
    return BuildData(
        node="n01", task_id=uuid4(), collected=NOW, generator=generator, data_format=data_format, data_element=element
    )


def found(generator: str, facts: HardwareFacts) -> FoundFacts:
    return FoundFacts(generator, NOW, uuid4(), facts)


def test_what_is_kept_is_read_again() -> None:
    kept = found_facts(stored(json.dumps(facts_document(FULL) | {"of_tomorrow": 1})))
    assert kept is not None
    assert kept.facts == FULL


@pytest.mark.parametrize(
    "element",
    [
        "no json",
        "[1]",
        '{"id": "lshw", "vendor": "x"}',
        json.dumps(facts_document(FULL) | {"cpu_count": "16"}),
        json.dumps(facts_document(FULL) | {"cpu_count": True}),
        json.dumps(facts_document(FULL) | {"disks": ["sda"]}),
        json.dumps(facts_document(FULL) | {"nics": [{}]}),
        "[" * 100_000,
    ],
)
def test_other_build_data_is_left_alone(element: str) -> None:
    assert found_facts(stored(element)) is None


def test_a_machine_says_what_it_knows() -> None:
    kept = found_facts(stored('{"cpu_count": 8}', FROM_NODE))
    assert kept is not None
    assert kept.facts == HardwareFacts(cpu_count=8)
    assert found_facts(stored('{"cpu_count": 8}', FROM_NODE, "text/plain")) is None


def test_the_provisioner_goes_first_and_others_complete_it() -> None:
    mac = "02:00:00:00:00:01"
    bmc = HardwareFacts(
        vendor="Example",
        cpu_count=2,
        firmware="7",
        nics=(NicFacts(mac=mac, name="1", speed_mbit=10), NicFacts(mac="x")),
    )
    inspected = HardwareFacts(cpu_count=64, nics=(NicFacts(mac=mac, bus_address="0000:18:00.0"),))
    itself = HardwareFacts(vendor="Other", arch="x86_64", nics=(NicFacts(mac=mac, name="ens1f0"),))
    facts = merged([found(FROM_NODE, itself), found("redfish", bmc), found("ironic", inspected)], provisioner="ironic")
    assert facts == HardwareFacts(
        vendor="Example",
        cpu_count=64,
        firmware="7",
        arch="x86_64",
        nics=(NicFacts(mac=mac, name="ens1f0", bus_address="0000:18:00.0", speed_mbit=10),),
    )
    assert merged([], provisioner="ironic") is None
    assert read_facts(facts_document(facts)) == facts
