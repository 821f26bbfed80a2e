"""The threats of docs/security.md, each tried."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, select, text, update

from drydock.bootaction.keys import derive_key
from drydock.bootaction.sealing import unseal
from drydock.db.tables import boot_bundles, boot_contacts, boot_contexts, task_messages
from drydock.errors import InvalidReference, ReferenceUnavailable, RenderError, SealBroken
from drydock.model.machine_limits import MAX_MESSAGE_BYTES, MAX_MESSAGES
from drydock.model.task import ResultStatus, TaskStatus
from drydock.references.references import References
from tests.factories import settings
from tests.factories.settings import SECRET
from tests.factories.site import site as design_of
from tests.http_peer import Answer, dripping, serving
from tests.security.deployment import ADMIN, Site

#: What a node may ask for with its key, all of it.
NODE_PATHS = [("GET", "files"), ("GET", "units"), ("GET", "script"), ("POST", "builddata"), ("POST", "events")]
NEW_SECRET = b"n" * 32


class TestStolenDatabase:
    def test_nothing_in_it_opens_a_bundle_or_a_route(self, site: Site) -> None:
        site.deploy(design_of(["n01"]))
        machine = site.machine("n01")
        with site.world.sql.connect() as connection:
            context = connection.execute(select(boot_contexts)).one()
            digest = bytes(connection.execute(select(boot_contacts.c.events_digest)).scalar_one())
            sealed = [(row.kind, bytes(row.sealed)) for row in connection.execute(select(boot_bundles))]
        for stolen in (bytes(context.key_digest), digest, context.id.bytes * 2):
            for kind, content in sealed:
                with pytest.raises(SealBroken):
                    unseal(stolen, context_id=context.id, node="n01", kind=kind, content=content)
                with pytest.raises(Exception):  # noqa: B017, PT011 - any way of not opening it
                    AESGCM(stolen).decrypt(content[:12], content[12:], None)
            for method, path in NODE_PATHS:
                assert machine.ask(method, f"/bootdata/n01/{path}", key=stolen.hex(), json={}).status_code == 403
            assert machine.ask("POST", f"/bootdata/n01/events/{stolen.hex()}", json={}, key="").status_code == 403

    def test_bundles_cannot_be_swapped_in_it(self, site: Site) -> None:
        """Who can write to the database can stop a machine, but cannot give it another's files."""
        site.deploy(design_of(["n01", "n02"]))
        with site.world.sql.begin() as connection:
            of_node = {row.node: row.id for row in connection.execute(select(boot_contexts))}
            for kind in ("file", "unit"):
                others = select(boot_bundles.c.sealed).where(
                    boot_bundles.c.context_id == of_node["n02"], boot_bundles.c.kind == kind
                )
                taken: bytes = connection.execute(others).scalar_one()
                connection.execute(
                    update(boot_bundles)
                    .where(boot_bundles.c.context_id == of_node["n01"], boot_bundles.c.kind == kind)
                    .values(sealed=taken)
                )
        answer = site.machine("n01").ask("GET", "/bootdata/n01/files")
        assert (answer.status_code, answer.json()["reason"]) == (500, "internal_error")

    def test_an_older_bundle_cannot_be_put_back(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        kind = boot_bundles.c.kind == "file"
        with site.world.sql.connect() as connection:
            older: bytes = connection.execute(select(boot_bundles.c.sealed).where(kind)).scalar_one()
        site.world.orchestrator.terminate(task.id, by="operator")
        site.world.run_until_idle()
        site.deploy(design_of(["n01"]))
        with site.world.sql.begin() as connection:
            connection.execute(update(boot_bundles).where(kind).values(sealed=older))
        assert site.machine("n01").ask("GET", "/bootdata/n01/files").status_code == 500


class TestStolenNodeKey:
    def test_it_is_good_for_its_node_only(self, site: Site) -> None:
        task = site.deploy(design_of(["n01", "n02"]))
        thief = site.machine("n01")
        for method, path in NODE_PATHS:
            assert thief.ask(method, f"/bootdata/n02/{path}", json={}).status_code == 403
        others = site.machine("n02").actions(task)["greet"]
        assert thief.ask("POST", f"/bootaction/{others.id}", json={"status": "failure"}).status_code == 403
        for path in ("/tasks", "/nodes", "/designs", f"/tasks/{task.id}", "/health/extended"):
            assert thief.ask("GET", path).status_code == 401

    def test_it_ends_with_the_next_deployment(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        thief = site.machine("n01")
        action = thief.actions(task)["greet"]
        assert thief.ask("GET", "/bootdata/n01/files").status_code == 200
        site.world.orchestrator.terminate(task.id, by="operator")
        site.world.run_until_idle()
        site.deploy(design_of(["n01"]))
        assert site.machine("n01").key != thief.key
        for method, path in NODE_PATHS:
            assert thief.ask(method, f"/bootdata/n01/{path}", json={}).status_code == 403
        assert thief.ask("POST", f"/bootaction/{action.id}", json={"status": "success"}).status_code == 403

    def test_it_ends_when_the_node_is_destroyed(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        thief = site.machine("n01")
        site.world.pass_time(3600)
        site.world.run_until_idle()
        assert site.subtask(task, "n01").result.status is ResultStatus.FAILURE
        assert thief.ask("GET", "/bootdata/n01/files").status_code == 200, "what failed may still report why"
        site.world.create("destroy_nodes", design_ref=site.world.store(design_of(["n01"])).ref)
        site.world.run_until_idle()
        for method, path in NODE_PATHS:
            assert thief.ask(method, f"/bootdata/n01/{path}", json={}).status_code == 404

    @pytest.mark.parametrize("which", ["the task", "the node's subtask"])
    def test_it_ends_at_once_when_its_deployment_is_terminated(self, site: Site, which: str) -> None:
        """No worker has to be alive for it."""
        task = site.deploy(design_of(["n01", "n02"]))
        thief, neighbour = site.machine("n01"), site.machine("n02")
        action = thief.actions(task)["greet"]
        terminated = task if which == "the task" else site.subtask(task, "n01")
        answer = requests.post(f"{site.url}/tasks/{terminated.id}/terminate", headers=ADMIN, timeout=30)
        assert answer.status_code == 200
        for _ in ("at once", "and when the worker has ended the task"):
            for method, path in NODE_PATHS:
                assert thief.ask(method, f"/bootdata/n01/{path}", json={}).status_code == 404
            for key in ({}, {"Idempotency-Key": "1"}):
                told = thief.ask("POST", f"/bootaction/{action.id}", json={"status": "success"}, headers=key)
                assert (told.status_code, "has ended" in told.json()["message"]) == (403, True)
            of_other = neighbour.ask("GET", "/bootdata/n02/files").status_code
            assert of_other == (404 if which == "the task" else 200)
            site.world.pass_time(15)
            site.world.work()
        ended = site.subtask(task, "n01")
        assert (ended.status, ended.result.reason) == (
            TaskStatus.TERMINATED,
            "terminated by admin at step await_boot_actions",
        )

    def test_a_deployment_that_failed_still_takes_reports(self, site: Site) -> None:
        """A machine that comes late says why; what has become of its task stays."""
        task = site.deploy(design_of(["n01"]))
        machine = site.machine("n01")
        action = machine.actions(task)["greet"]
        site.world.pass_time(3600)
        site.world.run_until_idle()
        before = site.subtask(task, "n01")
        late = {"status": "failure", "details": [{"message": "the disk was slow", "error": True}]}
        assert machine.ask("POST", f"/bootaction/{action.id}", json=late).status_code == 200
        after = site.subtask(task, "n01")
        assert (after.status, after.result.status, after.result.reason) == (
            before.status,
            ResultStatus.FAILURE,
            before.result.reason,
        )
        assert "the disk was slow" in [message.message for message in after.result.messages]

    def test_a_success_keeps_its_key_whatever_is_terminated_later(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        machine = site.machine("n01")
        machine.ask("POST", f"/bootaction/{machine.actions(task)['greet'].id}", json={"status": "success"})
        site.world.run_until_idle()
        site.world.orchestrator.terminate(task.id, by="operator")
        assert machine.ask("GET", "/bootdata/n01/files").status_code == 200

    @pytest.mark.parametrize("rounds", range(1, 12))
    def test_no_key_lives_whenever_the_deployment_is_terminated(self, site: Site, rounds: int) -> None:
        task = site.world.create("deploy_nodes", design_ref=site.world.store(design_of(["n01"])).ref)
        for _ in range(rounds):
            claimed = site.world.claim()
            if rounds % 2:
                # The worker has it in hand when the operator asks.
                site.world.orchestrator.terminate(task.id, by="operator")
            for together in site.world.runner.together(claimed):
                site.world.runner.run(together)
            site.world.pass_time(15)
        site.world.orchestrator.terminate(task.id, by="operator")
        site.world.run_until_idle()
        with site.world.database.unit_of_work() as uow:
            assert uow.boot_contexts.live_context("n01") is None

    def test_it_expires(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        thief = site.machine("n01")
        action = thief.actions(task)["greet"]
        with site.world.sql.begin() as connection:
            connection.execute(update(boot_contexts).values(expires=func.now()))
        for method, path in NODE_PATHS:
            assert thief.ask(method, f"/bootdata/n01/{path}", json={}).status_code == 404
        assert thief.ask("POST", f"/bootaction/{action.id}", json={"status": "success"}).status_code == 403
        site.world.run_until_idle()
        assert site.subtask(task, "n01").result.status is ResultStatus.FAILURE


class TestHostileNode:
    def test_it_cannot_pose_as_an_operator(self, site: Site) -> None:
        site.deploy(design_of(["n01"]))
        forged = {"X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-User-Name": "admin"}
        machine = site.machine("n01")
        assert machine.ask("GET", "/tasks", headers=forged).status_code == 401
        for path in ("/bootdata/n01/../../tasks", "/bootdata/n01/files/../../../tasks", "/bootdata/n01%2f..%2ftasks"):
            assert machine.ask("GET", path, headers=forged).status_code in (401, 404)

    def test_what_it_says_stays_text(self, site: Site) -> None:
        """Not another line of a log, not a message of the server's, not a word too many for the database."""
        task = site.deploy(design_of(["n01"]))
        machine = site.machine("n01")
        path = f"/bootaction/{machine.actions(task)['greet'].id}"
        said = "'; DROP TABLE tasks; -- {{ 7*7 }} ${x} </script>"
        detail = {"message": said, "error": False, "context": "forged", "context_type": "task", "ts": "1970"}
        assert machine.ask("POST", path, json={"details": [detail]}).status_code == 200
        (kept,) = [m for m in site.subtask(task, "n01").result.messages if m.context_type == "bootaction"]
        assert (kept.message, kept.context, dict(kept.extra)) == (said, path.rpartition("/")[2], {})
        wrongs: tuple[object, ...] = (
            {"details": [{"message": "\u0000", "error": False}]},
            {"status": "won"},
            {"x": 1},
            [],
        )
        for wrong in wrongs:
            assert machine.ask("POST", path, json=wrong).status_code == 400
        assert machine.ask("POST", path, data=b"{" * 100_000).status_code in (400, 415)
        assert machine.ask("POST", path, data=b" " * 2_000_000).status_code == 413
        assert machine.ask("POST", path, json={"details": [{"message": "x", "error": False, "y": [[]] * 9}]}).ok

    @pytest.mark.parametrize("path", ["events", "builddata"])
    def test_what_strangers_send_is_not_waited_for(self, site: Site, path: str) -> None:
        """The answer comes although nothing of the announced body does."""
        site.deploy(design_of(["n01"]))
        url = urlsplit(site.url)
        with closing(HTTPConnection(url.hostname or "", url.port, timeout=30)) as connection:
            connection.putrequest("POST", f"{url.path}/bootdata/n01/{path}")
            for name, value in {"X-Bootaction-Key": "0" * 64, "Content-Length": "1000000"}.items():
                connection.putheader(name, value)
            connection.endheaders()
            assert connection.getresponse().status == 403

    def test_it_cannot_take_back_what_is_final(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        machine = site.machine("n01")
        path = f"/bootaction/{machine.actions(task)['greet'].id}"
        assert machine.ask("POST", path, json={"status": "failure"}).status_code == 200
        assert machine.ask("POST", path, json={"status": "success"}).status_code == 409
        site.world.run_until_idle()
        assert site.subtask(task, "n01").result.status is ResultStatus.FAILURE

    def test_it_cannot_fill_the_database_with_reports(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        machine = site.machine("n01")
        path = f"/bootaction/{machine.actions(task)['greet'].id}"

        def kept() -> tuple[int, int]:
            of_node = task_messages.c.task_id == site.subtask(task, "n01").id
            size = func.coalesce(func.sum(func.length(task_messages.c.message)), 0)
            with site.world.sql.connect() as connection:
                return tuple(connection.execute(select(func.count(), size).where(of_node)).one())

        large = {"details": [{"message": "x" * 1_000_000, "error": False}]}
        for _ in range(40):
            assert machine.ask("POST", path, json=large).status_code == 200
        assert kept()[1] < MAX_MESSAGE_BYTES + 1_100_000
        before = kept()
        small = {"details": [{"message": "one more", "error": False}] * 500}
        assert machine.ask("POST", path, json={**small, "status": "success"}).status_code == 200
        assert kept() == before
        site.world.run_until_idle()
        assert site.subtask(task, "n01").result.status is ResultStatus.SUCCESS, "its result counts all the same"

    def test_it_cannot_fill_the_database_with_many_small_ones(self, site: Site) -> None:
        task = site.deploy(design_of(["n01"]))
        machine = site.machine("n01")
        path = f"/bootaction/{machine.actions(task)['greet'].id}"
        many = {"details": [{"message": "m", "error": False}] * 500}
        for _ in range(30):
            assert machine.ask("POST", path, json=many).status_code == 200
        told = [m for m in site.subtask(task, "n01").result.messages if m.context_type == "bootaction"]
        assert len(told) == MAX_MESSAGES


def with_asset(**asset: str | list[str]) -> bytes:
    described = {"type": "file", "path": "/etc/x", **asset}
    lines = "".join(f"      {name}: {value!r}\n" for name, value in described.items())
    body = "data:\n  signaling: false\n  assets:\n    -\n" + lines
    return (
        design_of(["n01", "n02"]) + f"\n---\nschema: drydock/BootAction/v1\nmetadata: {{name: evil}}\n{body}".encode()
    )


def templated(template: str) -> bytes:
    return with_asset(data=template, data_pipeline=["utf8_decode", "template"])


def bundle(site: Site, node: str) -> bytes:
    """The tar archive of a node's files."""
    return gzip.decompress(site.machine(node).ask("GET", f"/bootdata/{node}/files").content)


class TestHostileDesignAuthor:
    @pytest.mark.parametrize(
        "template",
        [
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{{ cycler.__init__.__globals__.os.environ }}",
            "{{ self.__init__.__globals__ }}",
            "{{ request.application }}",
            "{% include '/etc/passwd' %}",
            "{% import 'os' as os %}{{ os.environ }}",
            "{{ 'x' * 10**9 }}",
            "{% for a in range(10**9) %}x{% endfor %}",
            "{% for a in range(30000) %}{% for b in range(30000) %}{% endfor %}{% endfor %}",
        ],
    )
    def test_a_template_gets_out_of_nowhere_and_does_not_last(self, site: Site, template: str) -> None:
        task = site.deploy(templated(template))
        site.world.run_until_idle()
        for node in ("n01", "n02"):
            subtask = site.subtask(task, node)
            assert subtask.result.status is ResultStatus.FAILURE
            assert any("boot action evil: asset /etc/x" in message.message for message in subtask.result.messages)
        assert site.world.provisioner.deployments == {}

    @pytest.mark.parametrize(
        "template", ["{{ node.hostname.format.__globals__ }}", "{{ '{0.__class__}'.format(node) }}", "{{ environ }}"]
    )
    def test_what_a_template_may_not_see_is_empty(self, site: Site, template: str) -> None:
        site.deploy(templated(f"<{template}>"))
        assert b"/etc/x" in bundle(site, "n01")
        assert b"<>" in bundle(site, "n01")

    def test_a_template_knows_its_own_node_only(self, site: Site) -> None:
        site.deploy(templated("{{ node }} {{ action }}"))
        keys = {name: site.machine(name).key for name in ("n01", "n02")}
        content = bundle(site, "n01")
        assert keys["n01"].encode() in content
        assert keys["n02"].encode() not in content
        assert SECRET.hex().encode() not in content

    @pytest.mark.parametrize("path", ["/etc/../../root/x", "etc/x", "/", "/etc/", "/etc/\u0001"])
    def test_a_path_cannot_leave_the_machine_or_confuse_it(self, site: Site, path: str) -> None:
        task = site.deploy(with_asset(path=path, data="x", data_pipeline=[]))
        site.world.run_until_idle()
        assert site.world.orchestrator.task(task.id).result.status is ResultStatus.FAILURE

    @pytest.mark.parametrize(
        "location",
        [
            "file:///etc/passwd",
            "http://169.254.169.254/latest",
            "http://127.0.0.1:1/",
            "gopher://x/",
            "//x",
            "drydock://x",
        ],
    )
    def test_a_reference_goes_where_the_operator_allows(self, site: Site, location: str) -> None:
        site.use(references=references(hosts=["assets.example.org"]))
        task = site.deploy(with_asset(location=location, location_pipeline=[], data_pipeline=[]))
        site.world.run_until_idle()
        assert site.world.orchestrator.task(task.id).result.status is ResultStatus.FAILURE


def references(*, hosts: list[str]) -> References:
    return settings.references(
        allowed_schemes=["http", "https", "drydock"], allowed_hosts=hosts, connect_timeout=0.2, read_timeout=0.2
    )


class TestHostileDocumentServer:
    @pytest.mark.parametrize(
        "answer",
        [
            Answer(body=b"x" * 1001),
            Answer(302, headers={"Location": "file:///etc/passwd"}),
            Answer(302, headers={"Location": "http://169.254.169.254/"}),
            Answer(302, headers={"Location": "/again"}),
            Answer(200, b"\x1f\x8b\x08nonsense", {"Content-Encoding": "gzip"}),
            Answer(200, b"short", {"Content-Length": "10"}),
            Answer(500),
            Answer(404),
        ],
    )
    def test_its_answers_do_no_harm(self, answer: Answer) -> None:
        with (
            serving(lambda _: answer) as peer,
            pytest.raises((InvalidReference, ReferenceUnavailable)),
        ):
            references(hosts=["127.0.0.1"]).fetch(peer.url("/x"))

    def test_it_cannot_hold_a_worker_up(self) -> None:
        with dripping(b"HTTP/1.0 200 OK\r\n\r\n") as peer, pytest.raises(ReferenceUnavailable, match="no complete"):
            references(hosts=["127.0.0.1"]).fetch(peer.url("/x"))

    def test_a_failed_fetch_is_told_by_node_and_asset(self, site: Site) -> None:
        site.use(references=references(hosts=["127.0.0.1"]))
        with serving(lambda _: Answer(404)) as peer:
            task = site.deploy(
                with_asset(location=peer.url("/join?token=hush"), location_pipeline=[], data_pipeline=[])
            )
            site.world.run_until_idle()
        result = site.world.orchestrator.task(task.id).result
        lines = [message.message for message in result.messages if message.context_type == "node"]
        assert len(lines) == 2
        for node, line in zip(("n01", "n02"), sorted(lines), strict=True):
            assert node in line
            assert "boot action evil: asset /etc/x: location: " in line
            assert "hush" not in line


class TestRotation:
    def test_a_new_secret_first_and_the_old_one_still_counts(self, site: Site) -> None:
        site.deploy(design_of(["n01"]))
        before = site.machine("n01")
        boot = site.use(NEW_SECRET, SECRET)
        world = site.world
        with world.database.unit_of_work() as uow:
            context_id = uow.boot_contexts.live_context("n01")
            assert context_id is not None
            context = uow.boot_contexts.get(context_id)
        (task,) = [task for task in world.all_tasks() if task.node == "n01"]
        compiled = world.designs.compiled(task.design_digest or "")
        assert before.key in boot.user_data(context, compiled.site)
        with pytest.raises(RenderError, match="no longer in"):
            site.use(NEW_SECRET).user_data(context, compiled.site)
        # The machine goes by its key's digest: it is served whatever became of the secret.
        assert before.ask("GET", "/bootdata/n01/files").status_code == 200
        assert before.key == derive_key(SECRET, context_id, "n01").hex()

    def test_the_next_deployment_uses_the_new_secret(self, site: Site) -> None:
        site.use(NEW_SECRET, SECRET)
        site.deploy(design_of(["n01"]))
        with site.world.database.unit_of_work() as uow:
            context_id = uow.boot_contexts.live_context("n01")
        assert context_id is not None
        assert site.machine("n01").key == derive_key(NEW_SECRET, context_id, "n01").hex()


def test_fetches_are_shared_by_the_nodes_of_a_task(site: Site) -> None:
    site.use(references=references(hosts=["127.0.0.1"]))
    node_url: Callable[[str], str] = lambda base: base + "?hostname={{ node.hostname }}"  # noqa: E731
    with serving(lambda request: Answer(body=request.path.encode())) as peer:
        for location, pipeline in ((peer.url("/same"), []), (node_url(peer.url("/own")), ["template"])):
            site.deploy(with_asset(location=location, location_pipeline=pipeline, data_pipeline=[]))
            for task in site.world.open_tasks():
                site.world.orchestrator.terminate(task.id, by="tester")
            site.world.run_until_idle()
        asked = sorted(path for path in peer.paths("GET"))
    assert asked == ["/own?hostname=n01", "/own?hostname=n02", "/same"]


def test_a_context_goes_with_its_task(site: Site) -> None:
    """Retention takes what machines said, too."""
    site.deploy(design_of(["n01"]))
    with site.world.sql.begin() as connection:
        connection.execute(text("DELETE FROM tasks"))
        left: list[UUID] = [*connection.execute(select(boot_contacts.c.context_id)).scalars()]
    assert left == []
