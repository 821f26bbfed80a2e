"""cloud-init's own reporter, configured by our user-data, talks to us."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from dev import machine_tools
from tests.factories.site import site as design_of
from tests.security.deployment import Site

REPORT = """
import json, sys
from cloudinit import reporting
from cloudinit.reporting import events
reporting.update_configuration(json.loads(sys.stdin.read()))
with events.ReportEventStack("modules-final", "running modules for final", reporting_enabled=True):
    pass
reporting.flush_events()
"""


def test_its_events_reach_the_subtask(site: Site) -> None:
    python = machine_tools.python_of_cloud_init()
    if python is None:
        pytest.skip(machine_tools.NEEDS_CLOUD_INIT)
    task = site.deploy(design_of(["n01"]))
    machine = site.machine("n01")
    settings = yaml.safe_load(machine.user_data)["reporting"]
    done = subprocess.run(
        [*python, "-c", REPORT], input=json.dumps(settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    subtask = site.subtask(task, "n01")
    told = [(m.message, m.context) for m in subtask.result.messages if m.context_type == "installer"]
    assert told == [
        ("modules-final: running modules for final", "cloudinit"),
        ("modules-final: running modules for final (SUCCESS)", "cloudinit"),
    ]
    assert subtask.machine is not None
    assert subtask.machine.stage == "modules-final: SUCCESS"
