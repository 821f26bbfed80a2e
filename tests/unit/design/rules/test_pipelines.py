"""DD5030."""

from __future__ import annotations

import base64
import time
import tracemalloc
from typing import Any

import pytest

from drydock.design.template_check import MOST_CODE, check_template, code_size
from tests.factories.documents import boot_action, compiled, errors, node, warnings
from tests.factories.tasks import named_nodes


def file(data: str, *pipeline: str, **more: Any) -> dict[str, Any]:
    return {"type": "file", "path": "/etc/x", "data": data, "data_pipeline": list(pipeline), **more}


def design(*assets: dict[str, Any], **action: Any) -> Any:
    return compiled(node(), boot_action("act", assets=list(assets), **action))


@pytest.mark.parametrize(
    "source",
    [
        "{{ node.hostname }}.{{ node.domain }} {{ node['tags'] | join }} {{ node.labels.anything }}",
        "{% for name, net in node.network.items() %}{{ net.ip }}{{ loop.index }}{% endfor %}{{ node.network.pxe.ip }}",
        "{{ action.action_key }}{{ action.report_url }}{{ action.action_id }}{{ action.design_ref | urlencode }}",
        "{{ node.rack | default('none') }}{% if node.rack is defined %}{% endif %}{% if node.shelf %}x{% endif %}",
        "{% set node = {'rack': 1} %}{{ node.rack }}{% set x = namespace(y=1) %}{{ x.y }}{{ range(3) | list }}",
        "{{ node.network.default.ip }}{{ node.interfaces.eth0.sriov }}{{ node.network[name] if name is defined }}",
        "{% macro m(a) %}{{ a }}{{ caller() if caller }}{% endmacro %}{{ m(1) }}",
    ],
)
def test_what_there_is(source: str) -> None:
    found = design(file(source, "utf8_decode", "template"))
    assert errors(found) == warnings(found) == []


@pytest.mark.parametrize(
    ("pipeline", "text"),
    [
        (["template"], "segment 1, template, needs text, but gets bytes: put utf8_decode before it"),
        (["utf8_encode"], "segment 1, utf8_encode, needs text, but gets bytes"),
        (["utf8_decode", "base64_encode"], "segment 2, base64_encode, needs bytes, but gets text: put utf8_encode"),
        (["utf8_decode", "template", "utf8_decode"], "segment 3, utf8_decode, needs bytes, but gets text"),
    ],
)
def test_segments_that_do_not_fit(pipeline: list[str], text: str) -> None:
    found = design(file("x", *pipeline))
    assert not found.valid
    (message,) = errors(found)
    assert message.startswith("Asset Pipelines: Bootaction act: asset /etc/x: data_pipeline: ")
    assert text in message
    # With a reference, what it answers are bytes too.
    located = {"type": "file", "path": "/etc/x", "location": "http://x.example/", "data_pipeline": pipeline}
    assert text in errors(design(located))[0]


@pytest.mark.parametrize(
    "source",
    [
        "{{ node.hostname",
        "{% if x %}",
        "{% for %}",
        "{{ 1 +* 2 }}",
        "{% nonsense %}",
        "{{ 'a }}",
        "{{ (((1 }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    ],
)
def test_syntax(source: str) -> None:
    found = design(file(source, "utf8_decode", "template"))
    assert not found.valid
    assert "the template cannot be rendered" in errors(found)[0]
    packed = file(base64.b64encode(source.encode()).decode(), "base64_decode", "utf8_decode", "template")
    assert "the template cannot be rendered" in errors(design(packed))[0]
    located = {
        "type": "file",
        "path": "/x",
        "location": f"http://x.example/{source}",
        "location_pipeline": ["template"],
    }
    assert "location_pipeline: the template cannot be rendered" in errors(design(located))[0]


@pytest.mark.parametrize(
    ("source", "unknown"),
    [
        ("{{ node.rack }} {{ node['shelf'] }}", "node.rack, node.shelf"),
        ("{{ rack }}{% for x in racks %}{% endfor %}", "rack, racks"),
        ("{{ action.key }}", "action.key"),
        ("{{ node.network.nowhere.ip }}", "node.network.nowhere"),
    ],
)
def test_unknown_names_are_warnings(source: str, unknown: str) -> None:
    found = design(file(source, "utf8_decode", "template"))
    assert found.valid
    (message,) = warnings(found, "DD5030")
    assert f"the template uses undefined names: {unknown}." in message


def test_what_no_node_gets_is_no_error() -> None:
    nobody = named_nodes("nobody")
    found = design(file("x", "template"), node_filter=nobody)
    assert found.valid
    assert len(warnings(found, "DD5030")) == 1
    assert warnings(design({"type": "file", "data": "x", "data_pipeline": ["template"]}), "DD5030") == []


@pytest.mark.parametrize(
    "source",
    [
        "{{a}}" * 50_000,
        "{{" * 120_000,
        "{{ " + "1+" * 120_000 + "1 }}",
        "{% if a %}" * 20_000,
        "}}" * 120_000 + "{{ a",
        "{% raw %}" + "{{" * 100_000,
        "{#" * 120_000,
        "{{ '" + "\\" * 200_000,
        # Constants: whoever compiles a template computes them.
        "{{ 'a' * 10 ** 10 }}",
        "{{ 9 ** 9 ** 9 }}{{ 'a' | center(10 ** 10) }}{{ [1] * 10 ** 10 }}{{ '%*d' % (10 ** 10, 1) }}",
        "{% if 'a' * 10 ** 10 %}{% endif %}{% set x = 10 ** 10 ** 10 %}{{ x }}",
    ],
)
def test_a_large_template_costs_no_seconds(source: str) -> None:
    began = time.process_time()
    for _ in range(5):
        check_template(source, {})
    assert time.process_time() - began < 2.5


def test_many_templates_cost_no_seconds() -> None:
    templates = [
        file("{{a}}" * (MOST_CODE // 6) + str(n), "utf8_decode", "template", path=f"/x{n}") for n in range(200)
    ]
    assert code_size(templates[0]["data"]) <= MOST_CODE
    began = time.process_time()
    design(*templates)
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "bomb", ["{{ 'a' * 10 ** 9 }}", "{{ 'a' | center(10 ** 9) }}", "{% set x = [0] * 10 ** 8 %}{{ x }}"]
)
def test_nothing_is_evaluated(bomb: str) -> None:
    """What is constant in a template is not made by whoever validates it."""
    tracemalloc.start()
    assert check_template(bomb, ()).fault is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_what_a_template_sets_itself_is_known() -> None:
    own = (
        "{% macro m(a) %}{{ a }}{{ caller() }}{{ varargs }}{% endmacro %}{% set s = 1 %}{% for i, j in [(1, s)] %}"
        "{{ loop.index }}{{ i }}{{ j }}{% endfor %}{% call m(1) %}{% endcall %}{{ namespace(x=1).x }}{{ nodee }}"
    )
    assert check_template(own, ()).unknown == ("nodee",)
