"""The client against a server that answers as the API does."""

from __future__ import annotations

import socket

import pytest

from drydock.client import Credentials, DrydockClient, errors
from drydock.client.session import Patience, service_root
from tests import http_peer
from tests.unit.client.peer import DIGEST, TASK, Peer, status_body, subtask, task

KEYSTONE = {"OS_USERNAME": "operator", "OS_PASSWORD": "right", "OS_PROJECT_NAME": "admin"}
DOMAINS = {"OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default"}


@pytest.fixture
def client(peer: Peer) -> DrydockClient:
    return DrydockClient(Credentials({}, peer.url, "admin").session())


def keystone_client(peer: Peer, **environ: str) -> DrydockClient:
    return DrydockClient(Credentials({"OS_AUTH_URL": f"{peer.url}/v3", **KEYSTONE, **DOMAINS, **environ}).session())


@pytest.mark.parametrize(
    ("endpoint", "root"),
    [
        ("http://h:9000", "http://h:9000"),
        ("http://h:9000/", "http://h:9000"),
        ("http://h:9000/api", "http://h:9000"),
        ("http://h:9000/api/v1.0/", "http://h:9000"),
        ("https://h/drydock/api/v1.0", "https://h/drydock"),
        ("https://h/apiary", "https://h/apiary"),
    ],
)
def test_endpoints_are_understood_however_they_are_written(endpoint: str, root: str) -> None:
    assert service_root(endpoint) == root


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(errors.NotConfigured, match="http://host:9000"):
        service_root("localhost:9000")


def test_every_operation(client: DrydockClient, peer: Peer) -> None:
    assert client.create_task("deploy_nodes", "drydock://designs/x")["task_id"] == TASK
    assert client.retry_task(TASK)["task_id"] == TASK
    assert client.get_task(TASK)["status"] == "queued"
    assert client.terminate_task(TASK)["status"] == "terminating"
    assert client.confirm_task(TASK, step="power_off", note="done")["task_id"] == TASK
    assert peer.asked[-1][3] == {"step": "power_off", "note": "done"}
    assert client.delete_tasks(days=7) == "deleted tasks older than 7 days"
    assert client.task_build_data(TASK)[0]["task_id"] == TASK
    assert client.node_build_data("n9", latest=True)[0]["node_name"] == "n9"
    assert client.get_node("n1")["facts"]["vendor"] == "Example"
    assert client.upload_design(b"abc")["digest"] == DIGEST
    assert client.get_design(DIGEST) == b"---\n"
    assert client.list_designs()[0]["digest"] == DIGEST
    assert client.validate_design("drydock://designs/x")["status"] == "Success"
    assert client.validate_design("drydock://designs/invalid")["status"] == "Failure"
    assert client.node_filter("drydock://designs/x") == ["n1", "n2"]
    assert [node["hostname"] for node in client.list_nodes()] == ["n2", "n1"]
    client.check_health()
    assert client.versions() == {"v1.0": {"path": "/api/v1.0", "status": "stable"}}
    (upload,) = peer.calls("POST", "/api/v1.0/designs")
    assert upload[2]["CONTENT-TYPE"] == "application/x-yaml"
    assert peer.calls("GET", "/api/v1.0/nodes/n9/builddata?latest=true")


def test_a_bad_request_is_no_verdict_on_a_design(client: DrydockClient, peer: Peer) -> None:
    peer.refusals = [("400 Bad Request", status_body("href: is missing", "invalid_input", errorCount=1))]
    with pytest.raises(errors.BadRequest, match="href"):
        client.validate_design("")


def test_the_state_of_the_dependencies_is_told_when_they_are_down(client: DrydockClient, peer: Peer) -> None:
    quick = DrydockClient(Credentials({}, peer.url, "admin").session(), retries=0)
    assert quick.health()["dependencies"][0] == {"name": "database", "healthy": False, "detail": "down"}


def test_the_variants_of_a_task_are_asked_for_as_wire_says(client: DrydockClient, peer: Peer) -> None:
    client.get_task(TASK, layers=-1, subtaskerrors=True, builddata=True)
    assert peer.asked[-1][1] == f"/api/v1.0/tasks/{TASK}?layers=-1&subtaskerrors=true&builddata=true"


def test_pages_are_followed_on_the_host_we_trust(client: DrydockClient, peer: Peer) -> None:
    peer.frames = [(task(), [subtask(f"n{number}") for number in range(7)])]
    names = [entry["node"] for entry in client.tasks(parent=TASK, page_size=3)]
    assert names == [f"n{number}" for number in range(7)]
    assert len(peer.calls("GET", "/api/v1.0/tasks")) == 3


def test_creating_a_task_may_be_repeated(client: DrydockClient, peer: Peer) -> None:
    peer.refusals = [("503 Service Unavailable", status_body("starting", "unavailable"))]
    client.create_task("deploy_nodes", "drydock://designs/x")
    sent = [call[2]["IDEMPOTENCY-KEY"] for call in peer.calls("POST", "/api/v1.0/tasks")]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    client.create_task("deploy_nodes", "drydock://designs/x")
    assert len(peer.keys) == 2


def test_a_release_whose_answer_is_lost(client: DrydockClient, peer: Peer) -> None:
    peer.held, peer.lost = {"n1", "n2"}, 1
    assert client.release_node("n1") is False
    assert peer.held == {"n2"}
    assert len(peer.calls("DELETE", "/api/v1.0/nodes/n1/hold")) == 2
    assert client.release_node("n2") is True


def test_another_404_of_a_release_is_an_error(client: DrydockClient, peer: Peer) -> None:
    peer.refusals = [("404 Not Found", "<html>no such page</html>")]
    with pytest.raises(errors.NotFound):
        client.release_node("n1")


@pytest.mark.parametrize("call", ["confirm", "resume"])
def test_what_would_mean_something_else_the_second_time_is_sent_once(
    client: DrydockClient, peer: Peer, call: str
) -> None:
    """The task goes on meanwhile: it waits for another step, or has paused after another wave."""
    peer.lost = 1
    with pytest.raises(errors.Unavailable):
        client.confirm_task(TASK) if call == "confirm" else client.resume_task(TASK)
    assert len(peer.calls("POST", f"/api/v1.0/tasks/{TASK}/{call}")) == 1
    peer.lost = 1
    client.confirm_task(TASK, step="power_off")
    assert peer.lost == 0


def test_a_broken_connection_leaves_it_unknown_whether_a_request_took_effect() -> None:
    """It is not sent again where that would mean something else."""

    def lost(_: http_peer.Request) -> http_peer.Answer:
        raise ConnectionAbortedError

    with http_peer.serving(lost) as peer:
        client = DrydockClient(Credentials({}, peer.url(), "admin").session())
        with pytest.raises(errors.ConnectionFailed, match="it is not known whether the request took effect"):
            client.resume_task(TASK)
    assert len(peer.requests) == 1


def test_password_from_the_environment_and_endpoint_from_the_catalogue(peer: Peer) -> None:
    peer.tokens = {"issued-1"}
    assert keystone_client(peer).list_nodes()
    assert peer.issued == 1


def test_an_expired_token_is_renewed(peer: Peer) -> None:
    peer.tokens = {"issued-2"}
    assert keystone_client(peer).create_task("deploy_nodes", "x")["task_id"] == TASK
    assert peer.issued == 2
    assert len(peer.keys) == 1


def test_a_catalogue_without_drydock(peer: Peer) -> None:
    peer.catalogue = False
    with pytest.raises(errors.AuthenticationFailed, match="physicalprovisioner"):
        keystone_client(peer).list_nodes()


def test_a_wrong_password(peer: Peer) -> None:
    with pytest.raises(errors.AuthenticationFailed, match="password is wrong") as raised:
        keystone_client(peer, OS_PASSWORD="secret-typo").list_nodes()
    assert "secret-typo" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("400 Bad Request", errors.BadRequest),
        ("403 Forbidden", errors.Forbidden),
        ("404 Not Found", errors.NotFound),
        ("409 Conflict", errors.Conflict),
        ("413 Content Too Large", errors.TooLarge),
        ("415 Unsupported Media Type", errors.UnsupportedMediaType),
        ("418 I'm a Teapot", errors.ReplyError),
        ("500 Internal Server Error", errors.ServerError),
        ("502 Bad Gateway", errors.Unavailable),
    ],
)
def test_error_replies_by_status(client: DrydockClient, peer: Peer, status: str, kind: type[errors.ReplyError]) -> None:
    peer.refusals = [(status, status_body("no", "stable_code", messageList=[{"message": "look here"}]))]
    with pytest.raises(kind) as raised:
        client.list_nodes()
    error = raised.value
    assert (error.message, error.reason, error.request_id) == ("no", "stable_code", "req-1")
    assert error.messages == ({"message": "look here"},)
    assert type(error) is kind


def test_a_proxys_page_is_an_error_of_that_status(client: DrydockClient, peer: Peer) -> None:
    peer.refusals = [("502 Bad Gateway", "<h1>nginx</h1>")]
    with pytest.raises(errors.Unavailable, match="502"):
        client.list_nodes()


def test_another_service_at_that_address(client: DrydockClient, peer: Peer) -> None:
    peer.refusals = [("200 OK", "<h1>Welcome</h1>")]
    with pytest.raises(errors.UnexpectedReply, match="check that this is the URL of Drydock"):
        client.list_nodes()


@pytest.mark.parametrize("path", ["/v3", ""])
@pytest.mark.parametrize("keystone", [True, False])
def test_nobody_listens(path: str, *, keystone: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    who = Credentials(
        {"OS_AUTH_URL": url + path, **KEYSTONE} if keystone else {}, url + path, None if keystone else "t"
    )
    with pytest.raises(errors.ConnectionFailed, match=rf"^cannot reach {url}: Connection refused$"):
        DrydockClient(who.session(), retries=0).list_nodes()


@pytest.mark.parametrize("keystone", [True, False])
def test_who_does_not_answer_is_named_and_given_up(keystone: bool) -> None:
    """A server that accepts the connection and says nothing, as a stopped one does."""
    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        session = Credentials(
            {"OS_AUTH_URL": f"{url}/v3", **KEYSTONE} if keystone else {}, url, None if keystone else "t"
        )
        quick = session.session()
        quick.timeout = 0.2
        client = DrydockClient(quick, endpoint=url, on_slow=told.append, patience=Patience(0.2, 0.2, 0.05))
        with pytest.raises(errors.ConnectionFailed, match=rf"^{url} gave no answer in time$"):
            client.list_nodes()
        assert told == [f"waiting for Keystone at {url}/v3" if keystone else f"waiting for Drydock at {url}"]
        if not keystone:
            with pytest.raises(errors.ConnectionFailed, match=r"it is not known whether the request took effect$"):
                client.create_task("deploy_nodes", "drydock://designs/x")


def test_who_answers_soon_is_not_told_of(peer: Peer) -> None:
    told: list[str] = []
    client = DrydockClient(Credentials({}, peer.url, "admin").session(), on_slow=told.append)
    client.list_nodes()
    assert told == []


@pytest.mark.parametrize(
    ("environ", "url", "token", "says"),
    [
        ({}, None, None, "source an openrc"),
        ({}, None, "t", "--url"),
        ({"OS_AUTH_URL": "http://k", "OS_AUTH_TYPE": "nonsense"}, None, None, "nonsense"),
        ({"OS_AUTH_TYPE": "v3token"}, None, None, "source an openrc"),
        ({"OS_AUTH_TYPE": "v3oidcpassword", "OS_AUTH_URL": "http://k"}, None, None, "discovery-endpoint"),
        ({"OS_AUTH_URL": "http://k", "OS_USER_ID": "u"}, None, None, "set OS_PASSWORD too"),
    ],
)
def test_incomplete_credentials_say_what_is_missing(
    environ: dict[str, str], url: str | None, token: str | None, says: str
) -> None:
    with pytest.raises(errors.NotConfigured, match=says):
        Credentials(environ, url, token).session()


def test_credentials_do_not_show_the_token() -> None:
    assert "s3cret" not in repr(Credentials({}, "http://h", "s3cret"))
