"""A template that wants everything, among the nodes of a deployment: it costs its own node the step, no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drydock.bootaction.render import TemplateLimits
from drydock.model.boot_context import BundleKind
from drydock.model.task import TaskStatus
from tests.factories.site import site
from tests.orchestrator.test_groups import use_fetch
from tests.orchestrator.world import World

NODES = ("n01", "n02", "n03", "n04", "n05")
DOUBLED = (
    "{% set a = namespace(x=[1]) %}{% set b = namespace(x=[1]) %}{% for i in range(60) %}"
    "{% set a.x = [a.x, a.x] %}{% set b.x = [b.x, b.x] %}{% endfor %}{{ a.x == b.x }}"
)
DEEP = (
    "{% set n = namespace(t=(1,)) %}{% for i in range(99999) %}{% set n.t = (n.t,) %}{% endfor %}"
    "{% for i in range(99999) %}{% set n.t = (n.t,) %}{% endfor %}{{ {n.t: 1} | length }}"
)


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        (DOUBLED, "the template takes longer than 2 s"),
        (DEEP, "the template ended its renderer by signal 11 (SIGSEGV)"),
        ("{{ 'a' * 10 ** 10 }}", "the template needs too much memory"),
        ("{{ 'a' * 10 ** 7 }}", "the template makes more than 1048576 bytes"),
    ],
)
def test_it_fails_its_own_node_with_the_limits_name(world: World, bomb: str, reason: str) -> None:
    world.boot_settings = replace(world.boot_settings, limits=TemplateLimits(max_bytes=1 << 20, max_seconds=2))
    use_fetch(world, lambda url: b"")
    action = f"""---
schema: drydock/BootAction/v1
metadata: {{name: bomb}}
data:
  signaling: false
  assets:
    - type: file
      path: /opt/x
      data_pipeline: [utf8_decode, template]
      data: "{{% if node.hostname == 'n02' %}}{bomb}{{% endif %}}fine"
"""
    task = world.create("deploy_nodes", design_ref=world.store(site(NODES) + action.encode()).ref)
    for _ in range(10):
        world.machines_report()
        world.work()
        world.pass_time(16)
    found = world.subtasks(task.id)
    assert {name for name, subtask in found.items() if subtask.result.failures} == {"n02"}
    assert reason in str(found["n02"].result)
    assert all(found[name].status is TaskStatus.COMPLETE for name in NODES)
    for name in NODES[:1] + NODES[2:]:
        assert world.boot.bundle(name, BundleKind.FILE, world.key_of(name)).content
