"""/plans: made, listed, shown; without a provisioner every node is blocked."""

from __future__ import annotations

import pytest

from drydock.model.actions import Action
from tests.api.conftest import Client
from tests.api.seeds import Seeds
from tests.factories.site import site
from tests.factories.tasks import named_nodes

UNREACHABLE = "the provisioner does not answer, so that the state of the machine is unknown"


@pytest.fixture
def design_ref(admin: Client) -> str:
    content = site(["n01", "n02", "n03"])
    made = admin("POST", "/designs", body=content, headers={"Content-Type": "application/x-yaml"})
    ref: str = made.json["design_ref"]
    return ref


def test_a_plan_is_made_and_named_by_its_content(admin: Client, reader: Client, design_ref: str) -> None:
    made = admin.post("/plans", {"design_ref": design_ref})
    assert made.status_code == 201
    plan = made.json
    assert made.headers["Location"] == f"/api/v1.0/plans/{plan['plan_id']}"
    assert len(plan["plan_id"]) == 64
    assert plan["counts"] == {"keep": 0, "deploy": 0, "redeploy": 0, "destroy": 0, "blocked": 3}
    again = admin.post("/plans", {"design_ref": design_ref}).json
    assert again == {**plan, "created": again["created"]}
    assert reader.get(f"/plans/{plan['plan_id']}").json == again
    assert [each["plan_id"] for each in reader.get("/plans").json] == [plan["plan_id"]]


def test_nodes_are_paged(admin: Client, design_ref: str) -> None:
    plan_id = admin.post("/plans", {"design_ref": design_ref}).json["plan_id"]
    first = admin.get(f"/plans/{plan_id}/nodes?limit=2")
    assert [(node["node"], node["decision"]) for node in first.json] == [("n01", "blocked"), ("n02", "blocked")]
    assert first.json[0]["reasons"][0]["text"] == UNREACHABLE
    following = first.headers["Link"].partition(";")[0].strip("<>")
    assert following.endswith("after=1")
    second = admin.get(following.removeprefix("/api/v1.0"))
    assert [node["node"] for node in second.json] == ["n03"]
    assert "Link" not in second.headers
    assert admin.get(f"/plans/{plan_id}/nodes?decision=keep").json == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "design_ref"),
        ({"design_ref": 7}, "design_ref"),
        ({"design_ref": "drydock://designs/" + "0" * 64}, "design_ref"),
        ({"design_ref": "x", "destroy_unlisted": "yes"}, "destroy_unlisted"),
        ({"design_ref": "x", "node_filter": {"filter_set_type": "sideways", "filter_set": []}}, "node_filter"),
        ({"design_ref": "x", "plan": "y"}, "plan"),
        ({"design_ref": "x", "node_filter": named_nodes("n01"), "destroy_unlisted": True}, "destroy_unlisted"),
        (
            {
                "design_ref": "x",
                "node_filter": {"filter_set_type": "union", "filter_set": []},
                "destroy_unlisted": True,
            },
            "destroy_unlisted",
        ),
    ],
)
def test_a_bad_request_names_the_field(admin: Client, body: object, field: str) -> None:
    refused = admin.post("/plans", body)
    assert refused.status_code == 400
    assert refused.json["message"].startswith(field)


def test_a_filter_that_names_what_the_design_lacks(admin: Client, design_ref: str) -> None:
    """Else a typing error is a plan without changes."""

    def asked(*names: str) -> dict[str, object]:
        one = {"filter_type": "union", "node_names": list(names)}
        return {"design_ref": design_ref, "node_filter": {"filter_set_type": "union", "filter_set": [one]}}

    refused = admin.post("/plans", asked("n01", "n99"))
    assert (refused.status_code, refused.json["reason"]) == (400, "invalid_input")
    assert refused.json["message"].startswith("node_filter: the design has no node n99")
    assert admin.post("/plans", asked("N01")).json["counts"]["blocked"] == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=-2", "decision=perhaps", "more=1"])
def test_a_bad_page_is_refused(admin: Client, design_ref: str, query: str) -> None:
    plan_id = admin.post("/plans", {"design_ref": design_ref}).json["plan_id"]
    assert admin.get(f"/plans/{plan_id}/nodes?{query}").status_code == 400


@pytest.mark.parametrize("plan_id", ["0" * 64, "x", "%00", "'; DROP TABLE plans"])
def test_an_unknown_plan_is_404(admin: Client, plan_id: str) -> None:
    for path in (f"/plans/{plan_id}", f"/plans/{plan_id}/nodes"):
        assert admin.get(path).status_code == 404


def test_readers_make_none(reader: Client, design_ref: str) -> None:
    assert reader.post("/plans", {"design_ref": design_ref}).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "plan"),
        ({"plan": None}, "plan"),
        ({"plan": "x"}, "plan"),
        ({"plan": "0" * 64, "design_ref": "x"}, "design_ref"),
        ({"plan": "0" * 64, "node_filter": {"filter_set_type": "union", "filter_set": []}}, "node_filter"),
        ({"plan": "0" * 64, "force": True}, "force"),
        ({"plan": "0" * 64, "rollout": {"waves": []}}, "rollout.waves"),
    ],
)
def test_a_bad_request_to_apply_names_the_field(admin: Client, body: dict[str, object], field: str) -> None:
    refused = admin.post("/tasks", {"action": "apply_plan", **body})
    assert refused.status_code == 400, refused.text
    assert refused.json["message"].startswith(field)


@pytest.mark.parametrize(("more", "status"), [({"force": True}, 400), ({"force": False}, 201), ({}, 201)])
def test_a_retry_of_a_plan_takes_no_force_either(
    admin: Client, seeds: Seeds, more: dict[str, object], status: int
) -> None:
    failed, _ = seeds.tree("n01", action=Action.APPLY_PLAN, plan="0" * 64)
    admin.post(f"/tasks/{failed.id}/terminate")
    done = admin.post("/tasks", {"retry_of": str(failed.id), **more})
    assert done.status_code == status, done.text
    if status == 400:
        assert done.json["message"] == "force: cannot be given with apply_plan: the plan says it"


def test_a_plan_is_for_apply_plan_alone(admin: Client, design_ref: str) -> None:
    refused = admin.post("/tasks", {"action": "verify_site", "design_ref": design_ref, "plan": "0" * 64})
    assert (refused.status_code, refused.json["message"]) == (400, "plan: is for apply_plan, not for verify_site")


def test_an_unknown_plan_is_not_applied(admin: Client, reader: Client) -> None:
    body = {"action": "apply_plan", "plan": "0" * 64}
    assert (admin.post("/tasks", body).status_code, reader.post("/tasks", body).status_code) == (404, 403)


def test_a_plan_is_not_applied_while_the_provisioner_does_not_answer(admin: Client, design_ref: str) -> None:
    plan_id = admin.post("/plans", {"design_ref": design_ref}).json["plan_id"]
    refused = admin.post("/tasks", {"action": "apply_plan", "plan": plan_id})
    assert (refused.status_code, refused.json["reason"]) == (503, "driver_unavailable")
    assert admin.get(f"/plans/{plan_id}").json["applied_by"] is None
