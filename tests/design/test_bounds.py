"""Designs that are nothing but wrong, or large: bounded work, memory and messages, whatever they say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.design.messages import MAX_MESSAGES, MAX_OF_RULE, MAX_TEXT
from drydock.design.schemas import KINDS, validator, walk
from drydock.design.yaml_reader import MAX_ITEMS
from drydock.design.yaml_stream import read_stream
from tests.factories.documents import compiled, network


def doc(kind: str, name: str, data: str) -> str:
    return f"schema: drydock/{kind}/v1\nmetadata: {{name: {name}}}\ndata: {data}\n"


def nodes(count: int, extra: str = "") -> list[str]:
    data = f"{{hardware_profile: h, host_profile: p, addressing: [{{network: x, address: dhcp}}]{extra}}}"
    return [doc("HardwareProfile", "h", "{}"), *(doc("BaremetalNode", f"n{index}", data) for index in range(count))]


def design(*documents: str) -> bytes:
    return "---\n".join(documents).encode()


def numbered(count: int, text: str) -> str:
    return ", ".join(text.replace("#", str(index)) for index in range(count))


def test_more_than_any_schema_allows_is_not_read_on() -> None:
    """The document is lost, those after it are not."""
    for long in ("[" + "0," * (MAX_ITEMS + 1) + "]", "{" + numbered(MAX_ITEMS + 1, "k#: 0") + "}"):
        found = read_stream(f"a: {long}\n---\nb: 1\n".encode())
        assert ([document.value for document in found.documents], len(found.faults)) == ([{"b": 1}], 1)
        assert "of more than 100000" in found.faults[0].text


TEXTS: dict[str, Callable[[], bytes]] = {
    "one long wrong list": lambda: design(doc("BootAction", "a", "{assets: [" + "{}," * 600_000 + "]}")),
    "wrong strings": lambda: design(doc("Region", "r", "{authorized_keys: [" + "0," * 700_000 + "]}")),
    "many wrong lists": lambda: design(
        *(doc("Region", f"r{index}", "{authorized_keys: [" + "0," * 9000 + "]}") for index in range(80))
    ),
    "wrong items": lambda: design(
        doc("BootAction", "a", "{assets: [" + "{}," * 9_000 + "]}"),
        doc("BootAction", "b", "{assets: [" + "{}," * 90_000 + "]}"),
    ),
    "unknown keys": lambda: design(doc("Region", "r", "{" + numbered(100_000, "k#: 1") + "}")),
    "base 60": lambda: b"a: 1" + b":59" * 87_000,
    "base 60 with a point": lambda: b"a: 1" + b":59" * 87_000 + b".5",
    "a huge number": lambda: design(doc("Rack", "r", "{location: {a: 0x" + "f" * 262_144 + "}}")),
    "tiny documents": lambda: b"--- a\n" * 100_000,
    "racks without data": lambda: b"".join(
        b"--- {schema: drydock/Rack/v1, metadata: {name: r%d}}\n" % index for index in range(20_000)
    ),
    "profiles in a circle": lambda: design(
        *(doc("HostProfile", f"p{index}", f"{{host_profile: p{(index + 1) % 12_000}}}") for index in range(12_000))
    ),
    "a long chain of profiles": lambda: design(
        doc("HostProfile", "p0", "{}"),
        *(
            doc("HostProfile", f"p{index}", f"{{host_profile: p{index - 1}, metadata: {{tags: [t{index}]}}}}")
            for index in range(1, 8_000)
        ),
    ),
    "much is inherited": lambda: design(
        doc("HostProfile", "p", "{metadata: {tags: [" + numbered(9_900, "a#") + "]}}"),
        *nodes(5_000, ", metadata: {tags: [z]}"),
    ),
    "route domains": lambda: design(
        *(doc("Network", f"x{index}", f"{{cidr: 10.0.0.0/8, routedomain: d{index}}}") for index in range(15_000))
    ),
    "filters": lambda: design(
        doc("HostProfile", "p", "{}"),
        *nodes(4_000),
        *(
            doc(
                "BootAction",
                f"b{index}",
                "{assets: [], node_filter: {filter_set_type: union, filter_set: "
                "[{filter_type: union, node_labels: {a: b}}]}}",
            )
            for index in range(4_000)
        ),
    ),
    "a link of many networks": lambda: design(
        doc("NetworkLink", "l", "{allowed_networks: [" + numbered(9_999, "a#") + "]}"),
        doc("HostProfile", "p", "{}"),
        *nodes(3_000, ", interfaces: {e: {device_link: l, networks: [a9998, a9997, a9996]}}"),
    ),
    "a long name": lambda: design(doc("Rack", "x" * 2_000_000, "{}")),
    "a long kind": lambda: design(doc("x" * 2_000_000, "r", "{}")),
    "networks of everything": lambda: design(
        *(
            doc("Network", f"x{index}", "{cidr: '::/0', ranges: [{type: static, start: '::', end: 'ffff::'}]}")
            for index in range(5_000)
        )
    ),
}

#: In a process of its own, whose peak of memory is its own; slow computers get twice what it takes here.
#: NOTE: not by getrusage on Linux, whose peak begins with what the parent had.
PROGRAM = """
import re, resource, sys, time
from drydock.design.compiler import compile_design
content = sys.stdin.buffer.read()
began = time.process_time()
found = compile_design(content)
seconds = time.process_time() - began
size = max(len(message.message) for message in found.messages)
try:
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(seconds, peak / 1024, len(found.messages), found.error_count, size)
"""


@pytest.mark.parametrize("name", TEXTS)
def test_work_memory_and_messages_are_bounded(name: str) -> None:
    content = TEXTS[name]()
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=content, capture_output=True, check=True)
    seconds, megabytes, messages, errors, longest = map(float, done.stdout.split())
    assert seconds < 15
    assert megabytes < 200 + 100 * len(content) / 1e6
    assert messages <= 2 * MAX_MESSAGES + 100
    assert errors <= MAX_MESSAGES + 50
    assert longest <= MAX_TEXT + 10


def test_what_is_not_shown_is_counted() -> None:
    design = compiled(*(network(f"x{index}", cidr="nonsense") for index in range(MAX_OF_RULE + 7)))
    found = [message for message in design.messages if message.error and message.rule == "cidr-validity"]
    assert len(found) == MAX_OF_RULE + 1
    assert found[-1].message == "7 more errors of DD2006 cidr-validity are not shown."


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 2) | st.text("ab1/-", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "path", "x", "a"]), inner),
    max_leaves=6,
)


@st.composite
def _data(draw: st.DrawFn, kind: str) -> object:
    """Something near to what the schema wants."""

    def made(schema: Mapping[str, Any], depth: int) -> object:
        while "$ref" in schema:
            schema = root["definitions"][str(schema["$ref"]).rpartition("/")[2]]
        if depth > 5 or draw(st.integers(0, 12)) == 0:
            return draw(_json)
        if "enum" in schema:
            return draw(st.sampled_from(schema["enum"]))
        wanted = schema.get("type", "string")
        name = wanted if isinstance(wanted, str) else wanted[0]
        if name == "object":
            keys = draw(st.lists(st.sampled_from([*schema.get("properties", {}), "other"]), max_size=4))
            others = schema.get("additionalProperties", {})
            return {
                key: made(schema.get("properties", {}).get(key, others if isinstance(others, dict) else {}), depth + 1)
                for key in keys
            }
        if name == "array":
            return [made(schema.get("items", {}), depth + 1) for _ in range(draw(st.integers(0, 2)))]
        return draw({"string": st.text("ab1/-"), "boolean": st.booleans(), "number": st.floats(0, 5)}.get(name, _json))

    root = walk(kind)._root
    return made(root, 0)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_faults_are_found_where_the_library_finds_any(kind: str, data: st.DataObject) -> None:
    value = data.draw(_data(kind))
    assert (next(walk(kind).faults(value), None) is None) == validator(kind).is_valid(value)
