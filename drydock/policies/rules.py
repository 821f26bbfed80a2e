"""Rules by noun. ``list_rules`` is also the entry point of the sample generator.

A policy file may name rules that are not here (actions of other versions): they are read and never asked for.
"""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies import base, designs, health, nodes, plans, tasks


def list_rules() -> list[policy.RuleDefault]:
    return [
        *base.list_rules(),
        *tasks.list_rules(),
        *designs.list_rules(),
        *nodes.list_rules(),
        *plans.list_rules(),
        *health.list_rules(),
    ]
