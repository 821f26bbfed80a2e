"""DD4001, Bootaction Definition."""

from __future__ import annotations

from tests.factories.documents import boot_action, compiled, node, warnings


def only(name: str) -> dict[str, object]:
    one = {"filter_type": "union", "node_names": [name]}
    return {"filter_set_type": "union", "filter_set": [one]}


def test_everybody_has_one() -> None:
    design = compiled(node(), boot_action())
    assert warnings(design, "DD4001") == []
    assert "Bootaction Definition: Validation successful." in [message.message for message in design.messages]


def test_nodes_and_actions_without_each_other_are_warnings() -> None:
    design = compiled(
        node("n1"),
        node("n2", "10.0.0.12"),
        boot_action("one", node_filter=only("n1")),
        boot_action("lost", node_filter=only("x")),
    )
    assert design.valid
    assert warnings(design, "DD4001") == [
        "Bootaction Definition: Node n2 is not in scope for any bootactions.",
        "Bootaction Definition: Bootaction lost selects no node.",
    ]
    assert "Bootaction Definition: Validation successful." in [message.message for message in design.messages]
