"""Every action, in one table: what clients ask for, and what becomes of each node.

Names of actions and steps stand in the rows of tasks, also in those of a version that was installed before. A name that
was released is neither changed nor used for something else, unless a migration renames the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drydock.model.stored import StoredEnum


class Action(StoredEnum):
    """What a task does. Operators ask for the plural ones; the singular ones are their subtasks, one for each node."""

    VALIDATE_DESIGN = "validate_design"
    VERIFY_SITE = "verify_site"
    PREPARE_SITE = "prepare_site"
    VERIFY_NODES = "verify_nodes"
    PREPARE_NODES = "prepare_nodes"
    DEPLOY_NODES = "deploy_nodes"
    DESTROY_NODES = "destroy_nodes"
    RELABEL_NODES = "relabel_nodes"
    APPLY_PLAN = "apply_plan"
    VERIFY_NODE = "verify_node"
    PREPARE_NODE = "prepare_node"
    DEPLOY_NODE = "deploy_node"
    DESTROY_NODE = "destroy_node"
    RELABEL_NODE = "relabel_node"


@dataclass(frozen=True, slots=True)
class ActionRow:
    """``of_node``: the action of its subtasks; None for an action on the site. ``node_steps``: the stored names of
    their steps, in order. ``uses_images``: whether the design is checked against the images on offer.
    ``wipes``, ``wipes_with_force``: whether it takes from machines what is on them. ``changes_nodes``: whether it
    leaves nodes alone that operators hold. ``in_waves``: whether it may have a rollout.
    """

    action: Action
    help: str
    of_node: Action | None = None
    node_steps: tuple[str, ...] = ()
    uses_images: bool = True
    wipes: bool = False
    wipes_with_force: bool = False
    changes_nodes: bool = False
    in_waves: bool = False


ROWS = (
    ActionRow(Action.VALIDATE_DESIGN, "Check the design."),
    ActionRow(Action.VERIFY_SITE, "Check that provisioner and drivers can do what the design needs."),
    ActionRow(Action.PREPARE_SITE, "Give the provisioner the site: networks, links, tags, repositories, keys."),
    ActionRow(
        Action.VERIFY_NODES,
        "Ask each node's BMC and the provisioner; change nothing.",
        of_node=Action.VERIFY_NODE,
        node_steps=("check_bmc", "look_up"),
    ),
    ActionRow(
        Action.PREPARE_NODES,
        "Switch nodes on, make them known to the provisioner, collect their inventory.",
        of_node=Action.PREPARE_NODE,
        node_steps=(
            "look_at_node",
            "set_boot_device",
            "power_off",
            "power_on",
            "identify",
            "collect_inventory",
            "configure_hardware",
        ),
        wipes_with_force=True,
        changes_nodes=True,
        in_waves=True,
    ),
    ActionRow(
        Action.DEPLOY_NODES,
        "Install nodes and wait until their boot actions have reported.",
        of_node=Action.DEPLOY_NODE,
        node_steps=(
            "look_at_node",
            "check_hardware",
            "apply_networking",
            "apply_storage",
            "apply_platform",
            "prepare_boot",
            "await_place",
            "start_deployment",
            "await_deployment",
            "await_boot_actions",
        ),
        wipes_with_force=True,
        changes_nodes=True,
        in_waves=True,
    ),
    ActionRow(
        Action.DESTROY_NODES,
        "Revoke the keys of nodes, switch them off and release them.",
        of_node=Action.DESTROY_NODE,
        node_steps=("revoke_key", "destroy"),
        uses_images=False,
        wipes=True,
        changes_nodes=True,
        in_waves=True,
    ),
    ActionRow(
        Action.RELABEL_NODES,
        "Give nodes the labels of the design where labels are kept.",
        of_node=Action.RELABEL_NODE,
        node_steps=("relabel",),
        uses_images=False,
        changes_nodes=True,
    ),
    # Its subtasks are those of deploy_nodes and destroy_nodes.
    ActionRow(Action.APPLY_PLAN, "Do what a plan says, and nothing else.", in_waves=True),
)

#: By the action that operators ask for.
ACTIONS: Mapping[Action, ActionRow] = {row.action: row for row in ROWS}
#: Steps by the name of a node's action.
NODE_STEPS: Mapping[str, tuple[str, ...]] = {
    row.of_node.value: row.node_steps for row in ROWS if row.of_node is not None
}

#: The message of a node that had to wait for a slot for its installation. Stored, and compared by estimates: it stays.
PLACE_TAKEN = "a place for its installation is free"
#: How the result of a destroyed node ends that was unknown.
NOTHING_TO_ERASE = ": nothing to erase"

#: The actions of subtasks that leave alone what operators hold.
CHANGES_NODE = frozenset(row.of_node for row in ROWS if row.of_node is not None and row.changes_nodes)


def _requestable() -> dict[str, Action]:
    names: dict[str, Action] = {}
    for row in ROWS:
        names[row.action.value] = row.action
        if row.of_node is not None:
            names[row.of_node.value] = row.action
    return names


#: What clients may ask for, by every name they use: upstream Drydock's clients use singular names too.
REQUESTABLE: Mapping[str, Action] = _requestable()


def action_row(name: str) -> ActionRow | None:
    """The row of what a client asks for by this name; None if there is no such action."""
    action = REQUESTABLE.get(name)
    return None if action is None else ACTIONS[action]
