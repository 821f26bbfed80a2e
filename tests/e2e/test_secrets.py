"""A deployment by real programs, at debug level and much going wrong: nothing they write has a secret in it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy.engine import make_url

from dev import postgres
from dev.ports import free_port
from dev.stack import USERS, Stack
from drydock.bootaction.keys import events_token
from drydock.simulator.user_data import read_boot_environment
from tests.e2e.design import site
from tests.eventually import eventually
from tests.factories.site import joining
from tests.http_peer import Answer, Peer, serving

NODES = ("good", "refused", "lost", "broken")
BMC_PASSWORD, DOCUMENT_PASSWORD, JOIN_TOKEN = "bmc-password-8", "documents-only-for-us", "join-token-0123456789"
SETTINGS = {
    "DEFAULT": {"debug": "true"},
    "bootaction": {"report_tool": "/usr/local/bin/drydock-report"},
    "references": {"allowed_hosts": "127.0.0.1", "allowed_schemes": "http,drydock"},
}
OPTIONS = (
    *("--bmc-account", "admin", "--bmc-password", BMC_PASSWORD, "--seed", "7", "--install-delay", "0.1-0.3"),
    *("--action-delay", "0.1-0.2", "--fault", "broken=install_fails", "--fault", "good=bmc_unavailable:2"),
    *("--fault", "refused=action_fails"),
)
#: Whatever token of Keystone's it is: Fernet's begin with a version and the first zeros of a time.
KEYSTONE_TOKEN = re.compile(r"gAAAA[\w-]{60,}")

pytestmark = pytest.mark.e2e


@pytest.fixture
def peer() -> Iterator[Peer]:
    """The document server: it has nothing for one of the nodes."""
    with serving(lambda request: Answer(404) if "lost" in request.path else Answer(body=JOIN_TOKEN.encode())) as peer:
        yield peer


@pytest.fixture
def stack(tmp_path: Path, new_database: Callable[[], str]) -> Iterator[Stack]:
    with Stack(
        tmp_path / "site", port=free_port(), machines=NODES, database_url=new_database(), simulator_options=OPTIONS,
        settings=SETTINGS,
    ) as stack:  # fmt: skip
        stack.start()
        stack.start_worker()
        yield stack


def deploy(stack: Stack, peer: Peer, directory: Path) -> str:
    """The task that came to its end, in pieces."""
    location = peer.url("/join?x=1", credentials=f"drydock:{DOCUMENT_PASSWORD}@")
    design = directory / "site.yaml"
    design.write_text(site(NODES).replace("not-a-secret", BMC_PASSWORD) + joining(location))
    reference = stack.drydock("design", "upload", "--quiet", design).strip()
    for action in ("prepare_nodes", "deploy_nodes"):
        created = json.loads(
            stack.drydock("task", "create", "--action", action, "--design-ref", reference, "-o", "json")
        )
        arguments = ("task", "watch", created["task_id"], "-o", "json", "--timeout", "90")
        with ExitStack() as failed:
            if action == "deploy_nodes":
                failed.enter_context(pytest.raises(subprocess.CalledProcessError))
            stack.drydock(*arguments)
    return str(created["task_id"])


def keys(stack: Stack) -> Mapping[str, str]:
    machines = requests.get(f"{stack.simulator_url}/machines", timeout=10).json()
    return {m["name"]: read_boot_environment(m["user_data"]).key for m in machines if m["user_data"]}


def misuse(stack: Stack, key: str, token: str, operator: str) -> Iterator[requests.Response]:
    """Each kind of credential where it belongs, where it does not, and damaged."""
    api = f"{stack.url}/api/v1.0"

    def ask(method: str, path: str, headers: Mapping[str, str], **more: Any) -> requests.Response:
        return requests.request(method, api + path, headers=headers, timeout=30, **more)

    event = {"name": "x", "event_type": "start", "files": [{"path": "/l", "content": "aGk=", "encoding": "base64"}]}
    for shown in (key, key[:-1], f"{key}0", token, operator):
        for path in ("files", "units", "script"):
            yield ask("GET", f"/bootdata/good/{path}", {"X-Bootaction-Key": shown})
        yield ask("POST", "/bootaction/x", {"X-Bootaction-Key": shown}, json={"status": shown})
        yield ask("POST", "/bootdata/good/builddata", {"X-Bootaction-Key": shown}, json={"generator": 1})
        yield ask("POST", f"/bootdata/good/events/{shown}", {}, json=event)
        yield ask("POST", f"/bootdata/good/events/{shown}/{shown}?x={shown}", {}, json={"name": 1})
        oauth = {"Authorization": f'OAuth oauth_signature_method="PLAINTEXT", oauth_signature="%26{shown}"'}
        yield ask("POST", "/bootdata/good/events", oauth, json=event)
        yield ask("GET", f"/tasks?limit={shown[:5]}&token={shown}", {"X-Auth-Token": shown})
        yield ask("POST", "/tasks", {"X-Auth-Token": operator}, data=shown)
        yield ask("POST", "/validatedesign", {"X-Auth-Token": operator}, json={"href": f"http://u:{shown}@127.0.0.1/"})


def shown_to_operators(stack: Stack, task_id: str, operator: str) -> str:
    paths = (
        "tasks",
        f"tasks/{task_id}?layers=-1&builddata=true&subtaskerrors=true",
        f"tasks/{task_id}/events",
        "nodes",
    )
    answers = [
        requests.get(f"{stack.url}/api/v1.0/{path}", headers={"X-Auth-Token": operator}, timeout=30)
        for path in (*paths, "health/extended", "metrics", "nodes/good/builddata")
    ]
    assert [answer.status_code for answer in answers] == [200] * 7
    return "\n".join(f"{answer.headers}\n{answer.text}" for answer in answers)


def dump(url: str, *options: str) -> str:
    """As ``pg_dump`` writes it: all tables, those that the program does not know of too."""
    parsed = make_url(url)
    return subprocess.run(
        [postgres.binaries() / "pg_dump", "--dbname", parsed.set(drivername="postgresql", password=None)
            .render_as_string(hide_password=False), *options],
        env={**os.environ, "PGPASSWORD": parsed.password or ""}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def forms(secret: str) -> set[str]:
    """As it is, and as it stands in a dump of bytes or in base64."""
    return {secret.lower(), secret.encode().hex(), base64.b64encode(secret.encode()).decode().lower().rstrip("=")[:-1]}


def test_nothing_that_is_written_has_a_secret_in_it(stack: Stack, peer: Peer, tmp_path: Path) -> None:
    task_id = deploy(stack, peer, tmp_path)
    operator, key = stack.token("admin"), keys(stack)["good"]
    token = events_token(bytes.fromhex(key)).hex()
    answers = list(misuse(stack, key, token, operator))
    written = stack.directory / "logs" / "api.log"
    # The log has a request a moment after its answer.
    eventually(written.read_text, lambda text: all(answer.headers["X-Drydock-Req"] in text for answer in answers))
    configuration = ConfigParser(interpolation=None)
    configuration.read(stack.configuration)
    options = {name: dict(section) for name, section in configuration.items()}
    url = options["database"]["url"]
    logs = {path.stem: path.read_text() for path in (stack.directory / "logs").glob("*.log")}
    places = {
        **{f"log of {name}": text for name, text in logs.items() if name != "simulator"},
        # By design: a design holds what its author wrote.
        "database": dump(url, "--exclude-table-data=designs"),
        "errors": "\n".join(f"{answer.headers}\n{answer.text}" for answer in answers if not answer.ok),
        "tasks": shown_to_operators(stack, task_id, operator),
    }
    secrets = {
        "bootaction secret": options["bootaction"]["secrets"],
        "password of the service": options["keystone_authtoken"]["password"],
        "password of the database": make_url(url).password or "",
        "BMC password": BMC_PASSWORD,
        "document password": DOCUMENT_PASSWORD,
        "join token": JOIN_TOKEN,
        "operator's token": operator,
        "installer's token": token,
        **{f"key of {node}": key for node, key in keys(stack).items()},
        **{f"password of {user}": stack.environment(user)["OS_PASSWORD"] for user in USERS},
    }
    check_that_everything_was_there(places, answers, task_id, dump(url))
    found = [
        (name, place)
        for place, content in places.items()
        for name, secret in secrets.items()
        if any(form in content.lower() for form in forms(secret))
    ]
    assert found == []
    assert [place for place, content in places.items() if KEYSTONE_TOKEN.search(content)] == []


def check_that_everything_was_there(
    places: Mapping[str, str], answers: list[requests.Response], task_id: str, whole_dump: str
) -> None:
    """Or the search proves nothing."""
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 403, 404}
    assert set(places) == {"log of api", "log of worker", "database", "errors", "tasks"}
    for node in NODES:
        assert all(node in places[place] for place in ("log of worker", "database", "tasks"))
    assert " DEBUG drydock" in places["log of worker"]
    assert "path=/api/v1.0/bootdata/good/events/***" in places["log of api"]
    for table in ("boot_bundles", "boot_contexts", "task_messages", "build_data", "alembic_version"):
        assert f"COPY public.{table} " in places["database"]
    for place in ("database", "tasks"):
        assert "boot action joins: asset /etc/join: location: " in places[place]
    assert BMC_PASSWORD.encode().hex() in whole_dump, "this is how a dump would show one"
    assert task_id in places["database"]
