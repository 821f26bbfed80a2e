"""What the reference pages and the policy rules list is what the code does: nothing is missing, nothing is made up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drydock.api.schemas.replies import TASK
from drydock.model.actions import Action
from drydock.orchestrator.workflows.table import WORKFLOWS

REFERENCE = Path(__file__).parents[2] / "docs/reference"


def sections() -> dict[str, str]:
    """The text of each section of the page of actions, by its heading."""
    parts = re.split(r"^## (.+)$", (REFERENCE / "actions.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def heading(action: Action) -> str:
    """The steps of a node's subtask stand in the section of the action that made it."""
    plural = f"{action.value}s"
    return plural if plural in set(Action) else action.value


@pytest.mark.parametrize("action", WORKFLOWS, ids=str)
def test_each_step_is_in_the_section_of_its_action(action: Action) -> None:
    pages = sections()
    text = pages[heading(action)] + pages["What holds for all"]
    missing = [step.name for step in WORKFLOWS[action].every_step if f"`{step.name}`" not in text]
    assert not missing, f"docs/reference/actions.md, {action}: {missing}"


def test_each_step_of_a_chain_exists() -> None:
    known = {step.name for workflow in WORKFLOWS.values() for step in workflow.every_step}
    for heading, text in sections().items():
        for chain in re.findall(r"`\w+`(?:\s+→\s+`\w+`)+", text):
            assert set(re.findall(r"\w+", chain)) <= known, heading


def test_each_key_of_a_task_is_on_the_page_of_the_api() -> None:
    page = (REFERENCE / "api.md").read_text()
    text = page[page.index("**A task**") : page.index("**The result**")]
    assert [key for key in TASK["required"] if not re.search(rf"\b{key}\b", text)] == []
