"""Plans compare what is in assets, with references behind real HTTP servers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text

from drydock.bootaction.preparation import BootPreparation
from drydock.errors import ReferenceUnavailable
from drydock.model.actions import Action
from drydock.model.plan import Decision, PlanHead, PlannedNode, ReasonKind
from drydock.model.task import NewTask, ResultStatus, Task
from drydock.orchestrator.services.plans import PlanService
from drydock.references.reference_cache import ReferenceCache
from tests.factories.settings import SECRET, references
from tests.factories.site import site
from tests.http_peer import Answer, Peer, Request, serving
from tests.orchestrator.world import World

NODES = ("n01", "n02")
NEW_SECRET = bytes(range(32, 64))


class Files(dict[str, bytes]):
    """What a server has, by path; it does not answer for those in ``silent``."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: set[str] = set()
        self.peer = Peer()

    def __call__(self, request: Request) -> Answer | None:
        if request.path in self.silent:
            return None
        return Answer(body=self[request.path]) if request.path in self else Answer(status=404)

    def asked(self) -> list[str]:
        """Since the last time."""
        paths = self.peer.paths("GET")
        self.peer.requests.clear()
        return paths


@pytest.fixture
def files() -> Iterator[Files]:
    files = Files()
    with serving(files) as files.peer:
        yield files


def action(name: str, *assets: Mapping[str, Any], **more: Any) -> bytes:
    data = {"signaling": False, "assets": [{"type": "file", **asset} for asset in assets], **more}
    document = {"schema": "drydock/BootAction/v1", "metadata": {"name": name}, "data": data}
    return b"\n---\n" + json.dumps(document).encode()


def fetched(files: Files, path: str = "/x.sh", *, credentials: str = "", **asset: Any) -> Mapping[str, Any]:
    return {"path": "/opt" + path, "location": files.peer.url(path, credentials=credentials), **asset}


TEMPLATE = ("utf8_decode", "template")


def deploy(world: World, design: bytes, *, force: bool = False) -> Task:
    task = world.create("deploy_nodes", design_ref=world.store(design).ref, force=force)
    world.run_until_idle(before=world.machines_report)
    ended = world.orchestrator.task(task.id)
    assert ended.result.status is ResultStatus.SUCCESS, ended.result
    return ended


def create(world: World, design: bytes, plans: PlanService | None = None) -> PlanHead:
    return (plans or world.plans).create(
        world.store(design).ref, node_filter=None, chosen=None, destroy_unlisted=False, created_by="tester"
    )


def planned(world: World, design: bytes, plans: PlanService | None = None) -> Mapping[str, PlannedNode]:
    found = world.plans.nodes(create(world, design, plans).id, limit=1000, after=-1, decision=None)
    return {node.name: node for _, node in found}


def decisions(found: Mapping[str, PlannedNode]) -> Mapping[str, str]:
    return {name: str(node.decision) for name, node in found.items()}


def words(node: PlannedNode) -> list[str]:
    return [reason.text for reason in node.reasons if reason.kind is ReasonKind.CONTENT]


KEEP, REDEPLOY, BLOCKED = (dict.fromkeys(NODES, word) for word in ("keep", "redeploy", "blocked"))


def test_what_is_behind_an_address_changes_and_changes_back(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    kept = create(world, design)
    files["/x.sh"] = b"two"
    found = planned(world, design)
    assert decisions(found) == REDEPLOY
    changes = [each for each in found["n01"].reasons if each.kind is ReasonKind.CHANGE]
    assert [(each.path, each.old, each.new) for each in changes] == [
        ("contents.fetches./opt/x.sh", "(changed)", "(changed)")
    ]
    files["/x.sh"] = b"one"
    assert create(world, design).id == kept.id


def test_another_action_of_the_same_name_for_another_node_hides_nothing(world: World, files: Files) -> None:
    """The new one is sorted before the one that n01 has."""
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"two"
    only = {"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": ["n02"]}]}
    other = action("fetches", {"path": "/etc/motd", "data": "hello"}, node_filter=only)
    found = planned(world, design + other)
    assert decisions(found) == REDEPLOY
    (change,) = (each for each in found["n01"].reasons if each.kind is ReasonKind.CHANGE)
    assert change.path == "contents.fetches./opt/x.sh"


def test_an_asset_that_has_no_record_is_said(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    sql(world, "UPDATE deployed_nodes SET sections = jsonb_set(sections, '{contents,assets,fetches}', '{}')")
    files["/x.sh"] = b"two"
    found = planned(world, design)
    assert decisions(found) == KEEP
    assert words(found["n01"]) == [
        "boot action fetches: asset /opt/x.sh: its content was not recorded when it was deployed, and is not compared"
    ]
    new = {"path": "/etc/motd", "data": "hello"}
    added = planned(world, site(NODES) + action("fetches", fetched(files), new))
    assert [text for text in words(added["n01"]) if "/etc/motd" in text] == [], "the design says so"


def test_applied_it_is_no_change_any_more(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"two"
    assert applied(world, create(world, design)).result.status is ResultStatus.SUCCESS
    assert world.provisioner.installs == dict.fromkeys(NODES, 2)
    assert decisions(planned(world, design)) == KEEP


def applied(world: World, plan: PlanHead) -> Task:
    new = NewTask(Action.APPLY_PLAN, design_ref="", created_by="tester", plan=plan.id, all_nodes=True)
    task = world.orchestrator.create_task(new)
    world.run_until_idle(before=world.machines_report)
    return world.orchestrator.task(task.id)


def test_a_plan_of_another_version_is_applied(world: World, files: Files) -> None:
    """Other versions render from other inputs: whether the content has changed since is not known."""
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"two"
    plan = create(world, design)
    other = (
        "UPDATE plan_nodes SET rests_on = jsonb_set(rests_on, '{contents}', "
        "to_jsonb(split_part(rests_on->>'contents', ' ', 1) || ' 0.2.99/3.0.0 ' || repeat('0', 64)))"
    )
    sql(world, other)
    assert applied(world, plan).result.status is ResultStatus.SUCCESS
    assert world.provisioner.installs == dict.fromkeys(NODES, 2)


def test_what_changes_after_the_plan_ends_the_nodes_before_they_are_touched(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    key = world.key_of("n01")
    files["/x.sh"] = b"two"
    plan = create(world, design)
    files["/x.sh"] = b"three"
    ended = applied(world, plan)
    assert ended.result.status is ResultStatus.FAILURE
    subtask = world.subtasks(ended.id)["n01"]
    assert "plan_stale: the content of its assets has changed since it was planned" in subtask.result.reason
    assert world.provisioner.installs == dict.fromkeys(NODES, 1)
    assert world.key_of("n01") == key
    assert decisions(planned(world, design)) == REDEPLOY, "what it runs is still known"


def test_a_plan_is_applied_with_what_there_is_now_and_not_with_what_there_was(world: World, files: Files) -> None:
    """As it was planned; a worker has older content in its cache."""
    stored = references(
        max_bytes=1 << 20,
        allowed_schemes=["http"],
        allowed_hosts=["127.0.0.1"],
        cache=ReferenceCache(seconds=3600, max_bytes=1 << 20),
    )
    boot = BootPreparation(world.boot_settings, stored.fetch, partial(stored.fetch, present=True))
    world.services = replace(world.services, boot=boot)
    world.use_runner()
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"two"
    assert applied(world, create(world, design)).result.status is ResultStatus.SUCCESS
    assert decisions(planned(world, design)) == KEEP


def test_a_template_that_renders_alike_is_no_change(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files, data_pipeline=TEMPLATE))
    files["/x.sh"] = b"{{ node.hostname }}"
    deploy(world, design)
    files["/x.sh"] = b"{# of ours #}{{ node['hostname'] }}"
    assert decisions(planned(world, design)) == KEEP
    files["/x.sh"] = b"{{ node.hostname }}{{ '!' if node.hostname == 'n02' }}"
    assert decisions(planned(world, design)) == {"n01": "keep", "n02": "redeploy"}


def test_an_address_for_each_node(world: World, files: Files) -> None:
    one = {**fetched(files), "location": files.peer.url("/{{ node.hostname }}"), "location_pipeline": ["template"]}
    design = site(NODES) + action("fetches", one)
    files["/n01"] = files["/n02"] = b"one"
    deploy(world, design)
    files["/n02"] = b"two"
    assert decisions(planned(world, design)) == {"n01": "keep", "n02": "redeploy"}


def test_what_is_each_deployments_own_is_no_change(world: World, files: Files) -> None:
    own = "{{ action.action_id }} {{ action.action_key | length }} {{ action.action_key }} {{ range(10**5) | random }}"
    design = site(NODES) + action("own", {"path": "/own", "data": own, "data_pipeline": TEMPLATE})
    deploy(world, design)
    assert decisions(planned(world, design)) == KEEP
    deploy(world, design, force=True)
    assert decisions(planned(world, design)) == KEEP


def test_package_lists_are_compared_as_they_are_merged(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", {"type": "pkg_list", "location": files.peer.url("/packages")})
    files["/packages"] = b"vim: '1'"
    deploy(world, design)
    files["/packages"] = b"# as before\nvim: '1'\n"
    assert decisions(planned(world, design)) == KEEP
    files["/packages"] = b"vim: '2'"
    assert decisions(planned(world, design)) == REDEPLOY


def test_an_address_that_nodes_share_is_fetched_once(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files), fetched(files, data_pipeline=["base64_encode"]))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files.asked()
    create(world, design)
    assert files.asked() == ["/x.sh"]


def test_what_cannot_be_fetched_blocks_and_says_so_without_credentials(world: World, files: Files) -> None:
    secret = "/x.sh?token=t0ps3cret"
    asset = {"path": "/opt/x.sh", "location": files.peer.url(secret, credentials="joe:s3cret@")}
    design = site(NODES) + action("fetches", asset)
    files[secret] = b"one"
    deploy(world, design)
    del files[secret]
    found = planned(world, design)
    assert decisions(found) == BLOCKED
    (said,) = words(found["n01"])
    address = files.peer.url("/x.sh")
    assert said == f"boot action fetches: asset /opt/x.sh: location: {address}: HTTP status 404"
    assert "s3cret" not in repr(found)


def test_a_changed_image_is_not_installed_without_its_assets(world: World, files: Files) -> None:
    world.provisioner.images = None
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files.clear()
    found = planned(world, design.replace(b"image: jammy", b"image: noble"))
    assert decisions(found) == BLOCKED
    assert {each.kind for each in found["n01"].reasons} >= {ReasonKind.CONTENT, ReasonKind.CHANGE}


def test_a_template_that_cannot_be_rendered_blocks(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files, data_pipeline=TEMPLATE))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"{{ 1 // 0 }}"
    found = planned(world, design)
    assert decisions(found) == BLOCKED
    assert "ZeroDivisionError" in words(found["n01"])[0]


def test_assets_with_equal_inputs_are_named_each(world: World, files: Files) -> None:
    one = fetched(files, data_pipeline=TEMPLATE)
    design = site(NODES) + action("fetches", one, {**one, "path": "/opt/other"})
    files["/x.sh"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"{{ 1 // 0 }}"
    said = words(planned(world, design)["n01"])
    assert [path for path in ("/opt/x.sh", "/opt/other") if any(f"asset {path}" in text for text in said)] == [
        "/opt/x.sh",
        "/opt/other",
    ]


def test_a_server_that_is_silent_does_not_stop_the_plan(world: World, files: Files) -> None:
    """Nor what else there is to compare."""
    silent = {**fetched(files, "/silent"), "location": files.peer.url("/silent/{{ node.hostname }}")}
    design = site(NODES) + action("fetches", fetched(files), {**silent, "location_pipeline": ["template"]})
    files["/x.sh"] = files["/silent/n01"] = files["/silent/n02"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"two"
    files.silent.add("/silent/n02")
    began = time.monotonic()
    found = planned(world, design, world.make_plans(seconds=1.0))
    assert time.monotonic() - began < 20
    assert decisions(found) == {"n01": "redeploy", "n02": "blocked"}
    (said,) = words(found["n02"])
    assert said.startswith("boot action fetches: asset /opt/silent: location: ")
    assert "answer in" in said
    assert any(each.path == "contents.fetches./opt/x.sh" for each in found["n02"].reasons)


def test_servers_that_hold_all_fetches_leave_a_word_for_the_others(world: World, files: Files) -> None:
    names = [f"/{number}" for number in range(4)]
    design = site(NODES) + action("fetches", *(fetched(files, name) for name in names))
    files.update(dict.fromkeys(names, b"one"))
    deploy(world, design)
    files.silent.update(names[:3])
    found = planned(world, design, world.make_plans(seconds=1.0, fetches=1))
    said = words(found["n01"])
    assert len(said) == 4
    assert any("other references take too long" in each for each in said)


def test_templates_that_take_too_long_leave_a_word(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files, data_pipeline=TEMPLATE))
    files["/x.sh"] = b"{{ node.hostname }}"
    deploy(world, design)
    files["/x.sh"] = (
        b"{% for x in range(10**5) %}{% for y in range(10**4) %}{% endfor %}{% endfor %}{{ node.hostname }}"
    )
    found = planned(world, design, world.make_plans(seconds=0.5))
    assert decisions(found) == BLOCKED
    assert any("not rendered within 0.5 s ([references] plan_seconds)" in words(node)[0] for node in found.values())


def test_what_was_not_recorded_is_said_and_is_no_change(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    sql(world, "UPDATE deployed_nodes SET sections = sections - 'contents', fingerprints = fingerprints - 'contents'")
    files["/x.sh"] = b"two"
    files.asked()
    found = planned(world, design)
    assert decisions(found) == KEEP
    assert "was not recorded when it was deployed" in words(found["n01"])[0]
    assert files.asked() == []


def test_what_a_worker_of_the_version_before_has_prepared_is_not_recorded(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    world.create("deploy_nodes", design_ref=world.store(design).ref)

    def before() -> None:
        sql(world, "UPDATE boot_contexts SET contents = NULL")
        world.machines_report()

    world.run_until_idle(before=before)
    found = planned(world, design)
    assert (decisions(found), len(words(found["n01"]))) == (KEEP, 1)


def sql(world: World, statement: str) -> None:
    with world.sql.begin() as connection:
        connection.execute(text(statement))


def test_what_differs_by_its_nature_is_said(world: World, files: Files) -> None:
    asked = {"path": "/asked", "location": "http://x/{{ action.action_id }}", "location_pipeline": ["template"]}
    joins = {"path": "/joins", "location": "promenade+http://x/join-scripts"}
    design = site(NODES) + action("own", asked, joins)
    world.services = replace(world.services, boot=BootPreparation(world.boot_settings, str.encode))
    world.use_runner()
    deploy(world, design)
    found = planned(world, design)
    assert decisions(found) == KEEP
    assert words(found["n01"]) == [
        "boot action own: asset /asked: its content is not compared: its address is another one for each deployment",
        "boot action own: asset /joins: its content is not compared: its server makes it anew for each request",
    ]


def test_a_new_secret_is_no_change(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    both, new = world.make_plans(secrets=[NEW_SECRET, SECRET]), world.make_plans(secrets=[NEW_SECRET])
    assert decisions(planned(world, design, both)) == KEEP
    found = planned(world, design, new)
    assert decisions(found) == KEEP
    assert "[bootaction] secrets" in words(found["n01"])[0]
    files["/x.sh"] = b"two"
    assert decisions(planned(world, design, both)) == REDEPLOY


def test_nothing_is_fetched_where_it_is_switched_off(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    files["/x.sh"] = b"two"
    files.asked()
    assert decisions(planned(world, design, world.make_plans(seconds=0))) == KEEP
    assert files.asked() == []


def test_a_guess_of_a_content_cannot_be_checked_against_the_record(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"pass"
    deploy(world, design)
    with world.database.statements() as statements:
        kept = json.dumps(statements.deployed_nodes.contents(NODES)["n01"])
        seen = json.dumps(statements.deployed_nodes.sections(NODES)["n01"])
    assert "/opt/x.sh" in kept
    assert sha256(b"pass").hexdigest() not in seen


def test_the_record_is_of_the_bytes_that_the_machine_got(world: World, files: Files) -> None:
    """Each answer is another one: what is rendered and what is recorded are of one of them."""
    answers = iter(f"{number}".encode() for number in range(100))
    design = site(("n01",)) + action("fetches", fetched(files))
    given: list[bytes] = []

    def fetch(url: str) -> bytes:
        given.append(next(answers))
        return given[-1]

    world.services = replace(world.services, boot=BootPreparation(world.boot_settings, fetch))
    world.use_runner()
    deploy(world, design)
    assert len(given) == 1
    files["/x.sh"] = given[0]
    assert decisions(planned(world, design)) == {"n01": "keep"}


@contextmanager
def failing(world: World, error: Exception) -> Iterator[None]:
    def fetch(url: str, seconds: float) -> bytes:
        raise error

    before, world.fetch = world.fetch, fetch
    yield
    world.fetch = before


def test_it_is_fetched_again_in_the_next_plan(world: World, files: Files) -> None:
    design = site(NODES) + action("fetches", fetched(files))
    files["/x.sh"] = b"one"
    deploy(world, design)
    with failing(world, ReferenceUnavailable("away")):
        plans = world.make_plans()
    assert decisions(planned(world, design, plans)) == BLOCKED
    assert decisions(planned(world, design)) == KEEP
    assert planned(world, design)["n01"].decision is Decision.KEEP


def test_a_new_secret_is_no_change_of_what_is_sealed(world: World) -> None:
    def design(password: str) -> bytes:
        return site(NODES).replace(
            b"tags: [test]", b"tags: [test], owner_data: {ldap_password: %b}" % password.encode()
        )

    deploy(world, design("one"))
    both, new = world.make_plans(secrets=[NEW_SECRET, SECRET]), world.make_plans(secrets=[NEW_SECRET])
    assert decisions(planned(world, design("one"), both)) == KEEP
    found = planned(world, design("two"), both)
    assert decisions(found) == REDEPLOY
    assert "platform.owner_data.ldap_password" in [reason.path for reason in found["n01"].reasons]
    found = planned(world, design("one"), new)
    assert decisions(found) == KEEP
    assert any("its secrets were recorded with what" in text for text in words(found["n01"]))
    other = design("one").replace(b"size: 30g", b"size: 40g")
    assert decisions(planned(world, other, new)) == REDEPLOY
