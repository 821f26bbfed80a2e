"""Templates rendered for 1,000 nodes: in renderer processes, beside the same in this process, without any limit.

Each node has the boot actions of the example site's kind: a few small files and a script, templates all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

from bench.figures import Figures, Sample, options, table
from drydock.bootaction.template_limits import LimitExceededError, TemplateLimits
from drydock.bootaction.template_pool import Render, RenderedText, TemplatePool
from drydock.bootaction.templates import TemplateRenderer

SLOTS = 4
LIMITS = TemplateLimits(max_seconds=1.0, max_bytes=16 * 1024 * 1024)
BOMB = (
    "{% set a = namespace(x=[1]) %}{% set b = namespace(x=[1]) %}{% for i in range(60) %}"
    "{% set a.x = [a.x, a.x] %}{% set b.x = [b.x, b.x] %}{% endfor %}{{ a.x == b.x }}"
)
TEMPLATES = (
    "{{ node.hostname }}.{{ node.domain }}\n",
    "{% for name, net in node.network.items() %}[{{ name }}]\naddress={{ net.ip }}\nrange={{ net.cidr }}\n"
    "{% if net.dns_suffix %}search={{ net.dns_suffix }}\n{% endif %}{% endfor %}",
    "#!/bin/sh\n"
    + "".join(f"echo 'setting {n}' > /etc/drydock/setting-{n}\n" for n in range(60))
    + "curl -X POST -H 'X-Bootaction-Key: {{ action.action_key }}' {{ action.report_url }}{{ action.action_id }}\n",
    "{% for key, value in node.labels | dictsort %}{{ key }}={{ value }}\n{% endfor %}"
    "{% if 'masters' in node.tags %}role=master\n{% else %}role=worker\n{% endif %}",
)


def main() -> None:
    asked = options(__doc__)
    figures = Figures(check=asked.check)
    nodes = [_variables(number) for number in range(200 if asked.quick else 1000)]
    templates = TemplatePool(LIMITS, processes=SLOTS)
    pooled = [templates.for_task("ordinary")] * SLOTS
    inside = [_in_process() for _ in range(SLOTS)]
    times: dict[str, list[float]] = {"renderers": [], "this process": []}
    for renders in (pooled, inside):
        _seconds(renders, nodes)
    for _ in range(5 if asked.quick else 9):
        times["renderers"].append(_seconds(pooled, nodes))
        times["this process"].append(_seconds(inside, nodes))
    ratio = Sample(tuple(b / a for a, b in zip(times["renderers"], times["this process"], strict=True)))
    table(
        f"{len(nodes)} nodes, {len(TEMPLATES)} templates each",
        ["in", "ms in all", "us each"],
        [
            [name, Sample(tuple(t * 1e3 for t in found)), f"{min(found) * 1e6 / len(nodes) / len(TEMPLATES):.0f}"]
            for name, found in times.items()
        ],
    )
    figures.add("rendering_speed", ratio.median, ">=", 0.3)
    failed, seconds = _with_a_bomb(templates.for_task("bomb"), nodes)
    print(f"  one bomb among them: {failed} nodes failed, {seconds:.2f} s")
    figures.add("rendering_bomb_nodes_failed", failed, "==", 1)
    figures.add("rendering_bomb_seconds", seconds - Sample(tuple(times["renderers"])).median, "<=", 4.0)
    templates.close()
    figures.finish()


def _all(render: Render, nodes: Iterable[dict[str, Any]]) -> None:
    for variables in nodes:
        for source in TEMPLATES:
            render(source, variables)


def _seconds(renders: Sequence[Render], nodes: list[dict[str, Any]]) -> float:
    """As a worker does: in several slots."""
    began = time.perf_counter()
    with ThreadPoolExecutor(SLOTS) as threads:
        slots = [threads.submit(_all, render, nodes[slot::SLOTS]) for slot, render in enumerate(renders)]
        for slot in slots:
            slot.result()
    return time.perf_counter() - began


def _in_process() -> Render:
    renderer = TemplateRenderer()

    def render(source: str, variables: Mapping[str, Any]) -> RenderedText:
        # A template may change what it is given; the next one must not see that.
        text, unknown = renderer.render(source, deepcopy(variables), max_bytes=LIMITS.max_bytes)
        return RenderedText(text.decode(), tuple(unknown))

    return render


def _with_a_bomb(render: Render, nodes: list[dict[str, Any]]) -> tuple[int, float]:
    began = time.perf_counter()
    failed = 0
    for number, variables in enumerate(nodes):
        try:
            _all(render, [variables])
            if number == len(nodes) // 2:
                render(BOMB, variables)
        except LimitExceededError:
            failed += 1
    return failed, time.perf_counter() - began


def _variables(number: int) -> dict[str, Any]:
    name = f"n{number:04}"
    networks = {
        network: {
            "ip": f"10.{third}.{number // 250}.{number % 250 + 1}",
            "cidr": f"10.{third}.0.0/16",
            "dns_suffix": "",
        }
        for third, network in enumerate(("pxe", "oam", "storage", "default"))
    }
    return {
        "node": {
            "hostname": name,
            "domain": "example.invalid",
            "tags": ["masters"] if number < 3 else ["workers"],
            "labels": {f"label-{n}": str(n) for n in range(8)},
            "network": networks,
            "interfaces": {f"eth{n}": {"sriov": False} for n in range(4)},
        },
        "action": {
            "action_id": "00041061050R3GG28A1C60T3GF",
            "action_key": f"{number:064x}",
            "report_url": "http://localhost:9000/api/v1.0/bootaction/",
            "design_ref": "drydock://designs/0",
        },
    }


if __name__ == "__main__":
    main()
