"""Nodes whose bundles are large: a few of them at a time are made and written down."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from drydock.bootaction.render import TemplateLimits
from drydock.model.boot_context import BundleKind
from drydock.model.task import Task
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.workflow import AnyStep
from tests.factories.site import site
from tests.orchestrator.test_groups import JOIN, deploy, use_fetch
from tests.orchestrator.world import World

MIB = 1024 * 1024
NODES = [f"n{number:02}" for number in range(1, 13)]


class Counting(StepRunner):
    """Notes how many nodes each answer of the step is for."""

    answered: list[int]

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        outcomes = super().attempt(step, tasks)
        if step.name == "prepare_boot":
            self.answered.append(len(outcomes))
        return outcomes


def prepare_with(world: World, asset: bytes) -> Sequence[int]:
    """A deployment of twelve nodes with this asset; how many were made before they were written down.

    The provisioner takes ten at a time.
    """
    world.boot_settings = replace(world.boot_settings, limits=TemplateLimits(max_bytes=20 * MIB, max_seconds=10))
    use_fetch(world, lambda url: asset)
    world.use_runner(Counting)
    runner = world.runner
    assert isinstance(runner, Counting)
    runner.answered = []
    deploy(world, site(NODES) + JOIN)
    for node in NODES:
        assert len(world.boot.bundle(node, BundleKind.FILE, world.key_of(node)).content) >= len(asset) // 2
    return runner.answered


def test_small_ones_are_written_down_together(world: World) -> None:
    assert prepare_with(world, b"#!/bin/sh\n") == [10, 2]


def test_large_ones_are_written_down_before_the_next_are_made(world: World) -> None:
    assert prepare_with(world, base64.b64encode(os.urandom(3 * MIB))) == [8, 2, 2]
