"""Ironic's provision states as ours, and its errors in an operator's words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from drydock.drivers.node.base import NodeState

ENROLL, VERIFYING, MANAGEABLE, AVAILABLE, ACTIVE = "enroll", "verifying", "manageable", "available", "active"
INSPECTING, INSPECT_WAIT, INSPECT_FAILED = "inspecting", "inspect wait", "inspect failed"
CLEANING, CLEAN_WAIT, CLEAN_HOLD, CLEAN_FAILED = "cleaning", "clean wait", "clean hold", "clean failed"
DEPLOYING, DEPLOY_WAIT, DEPLOY_HOLD, DEPLOY_FAILED = "deploying", "wait call-back", "deploy hold", "deploy failed"
DELETING, ERROR, ADOPTING, ADOPT_FAILED = "deleting", "error", "adopting", "adopt failed"
RESCUE, RESCUE_FAILED, UNRESCUE_FAILED, SERVICE_FAILED = "rescue", "rescue failed", "unrescue failed", "service failed"

STATES: Mapping[str, NodeState] = MappingProxyType(
    {
        ENROLL: NodeState.DISCOVERED,
        VERIFYING: NodeState.BUSY,
        MANAGEABLE: NodeState.DISCOVERED,
        AVAILABLE: NodeState.READY,
        INSPECTING: NodeState.BUSY,
        INSPECT_WAIT: NodeState.BUSY,
        INSPECT_FAILED: NodeState.DISCOVERED,
        CLEANING: NodeState.CLEANING,
        CLEAN_WAIT: NodeState.CLEANING,
        CLEAN_HOLD: NodeState.CLEANING,
        CLEAN_FAILED: NodeState.DISCOVERED,
        DEPLOYING: NodeState.DEPLOYING,
        DEPLOY_WAIT: NodeState.DEPLOYING,
        DEPLOY_HOLD: NodeState.DEPLOYING,
        DEPLOY_FAILED: NodeState.FAILED,
        ACTIVE: NodeState.DEPLOYED,
        DELETING: NodeState.RELEASING,
        ERROR: NodeState.FAILED,
        ADOPTING: NodeState.BUSY,
        ADOPT_FAILED: NodeState.DISCOVERED,
    }
)
"""What is not here (rescue, service) is ``busy``: something else is being done to the machine."""

INSTALLING = frozenset({DEPLOYING, DEPLOY_WAIT, DEPLOY_HOLD})
INSTALLED = frozenset({*INSTALLING, ACTIVE, DEPLOY_FAILED})
RELEASABLE = frozenset({*INSTALLED, ERROR, RESCUE, RESCUE_FAILED, UNRESCUE_FAILED, SERVICE_FAILED})
"""What Ironic takes down when it is asked, at rest or being installed."""
EMPTY = frozenset({ENROLL, MANAGEABLE, AVAILABLE, INSPECT_FAILED, ADOPT_FAILED})
"""Without an installation. In what is in no set here, such as a state that is newer, something is being done to it."""
PASSING = frozenset(
    {VERIFYING, INSPECTING, INSPECT_WAIT, CLEANING, CLEAN_WAIT, CLEAN_HOLD, DELETING, ADOPTING, *INSTALLING}
)

DOING: Mapping[str, str] = MappingProxyType(
    {
        VERIFYING: "Ironic is trying the access to its BMC",
        INSPECTING: "Ironic is inspecting it",
        INSPECT_WAIT: "Ironic waits for the agent to report what it found",
        CLEANING: "Ironic is cleaning it",
        CLEAN_WAIT: "Ironic waits for the agent to clean it",
        CLEAN_HOLD: "an operator of Ironic holds its cleaning",
        DELETING: "Ironic is taking its installation down",
        DEPLOYING: "Ironic is installing it",
        DEPLOY_WAIT: "Ironic waits for the agent to install it",
        DEPLOY_HOLD: "an operator of Ironic holds its installation",
        ADOPTING: "Ironic is adopting it",
    }
)

#: In order; the first that is found in Ironic's words stands before them.
WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"timeout reached while (?:waiting for callback|cleaning|inspecting)|timeout.*callback",
         "the agent did not call back in time: does the machine boot its ramdisk, and does that reach Ironic?"),
        (r"no suitable device was found|root device hints", "no disk is like the design's boot disk"),
        (r"failed to (?:validate|verify).*power|failed to get power state|power state.*could not",
         "its BMC does not answer as it should: check address, account and credential"),
        (r"checksum", "the image is not the one whose checksum the options give"),
        (r"image.*(?:404|could not be found)|image_?href|validation of image", "the image cannot be fetched"),
        (r"erase_devices", "its disks could not be erased"),
        (r"\b(?:https?|status|code)\b.*\b401\b|unauthorized|accesserror|access error",
         "its BMC does not accept the account's credential"),
    )
)  # fmt: skip


def in_words(error: str | None) -> str:
    """``last_error`` or an event, with what it means to an operator before it."""
    text = " ".join((error or "").split())
    if not text:
        return "Ironic gives no reason: look at the conductor's log and its deploy logs"
    for pattern, words in WORDS:
        if pattern.search(text):
            return f"{words} (Ironic: {text})"
    return f"Ironic: {text}"


def doing(state: str) -> str:
    return DOING.get(state, f"Ironic says: {state}")
