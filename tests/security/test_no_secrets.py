"""A whole deployment at debug level, with everything going wrong once: no key, password or token anywhere."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import select

from drydock.db.tables import metadata
from drydock.log import FieldFormatter
from drydock.model.boot_action import ReportStatus
from drydock.model.task import ResultStatus
from tests.eventually import eventually
from tests.factories.settings import SECRET
from tests.factories.site import joining
from tests.factories.site import site as design_of
from tests.http_peer import Answer, serving
from tests.security.deployment import ADMIN, Deployed, Site
from tests.security.test_threats import references

DOCUMENT_PASSWORD = "documents-only-for-us"
JOIN_TOKEN = "join-token-0123456789"
BMC_PASSWORD = "not-a-secret"
BROKEN = """
---
schema: drydock/BootAction/v1
metadata: {name: broken}
data:
  node_filter: {filter_set_type: union, filter_set: [{filter_type: union, node_names: [n03]}]}
  assets:
    - {path: /etc/broken, type: file, data: '{{ {}[action.action_key].x }}', data_pipeline: [utf8_decode, template]}
"""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Every line that a program with ``debug = true`` writes: the levels are those of ``log.configure``."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(FieldFormatter())
    root, own = logging.getLogger(), logging.getLogger("drydock")
    before = root.level, own.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    own.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.setLevel(before[0])
        own.setLevel(before[1])
        root.removeHandler(handler)


def dump(site: Site) -> dict[str, str]:
    """Every table as text; bytes in hexadecimal, and as they would read."""
    with site.world.sql.connect() as connection:
        return {
            table.name: "\n".join(" ".join(map(_as_text, row)) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
        }


def _as_text(value: object) -> str:
    return f"{bytes(value).hex()} {bytes(value)!r}" if isinstance(value, memoryview | bytes) else str(value)


def go_wrong(machine: Deployed, other: Deployed, action_id: str) -> Iterator[requests.Response]:
    """What is answered when keys are used in all the wrong ways."""
    event = {"name": "x", "event_type": "start"}
    oauth = {"Authorization": f'OAuth oauth_signature="%26{machine.token}"'}
    for key in (other.key, machine.key[:-1], machine.key + "0", machine.key.upper()):
        for path in ("files", "units", "script"):
            yield machine.ask("GET", f"/bootdata/{machine.node}/{path}", key=key)
        yield machine.ask("POST", f"/bootaction/{action_id}", key=key, json={"status": "nonsense"})
        yield machine.ask("POST", f"/bootdata/{machine.node}/builddata", key=key, json={})
    yield machine.ask("POST", f"/bootdata/{machine.node}/events/{machine.token}", key="", json=event)
    yield machine.ask("POST", f"/bootdata/{machine.node}/events/{machine.token}/", key="", json={"name": 1})
    yield machine.ask("POST", f"/bootdata/{machine.node}/events/{machine.token}/{machine.token}", key="", json=event)
    yield machine.ask("POST", f"/bootdata/{machine.node}/events/{machine.token[:-1]}", key="", json=event)
    yield machine.ask("GET", f"/bootdata/{machine.node}/events/{machine.token}", key="")
    yield machine.ask("POST", f"/bootdata/{machine.node}/events", key="", headers=oauth, json=event)
    yield machine.ask("POST", f"/bootdata/{other.node}/events", key="", headers=oauth, json=event)
    yield machine.ask("GET", f"/bootdata/{machine.node}/files?key={machine.key}", key="")
    yield machine.ask("GET", "/tasks", headers={"X-Auth-Token": machine.key})
    yield requests.post(f"{machine.site.url}/tasks", headers=ADMIN, data=machine.key, timeout=30)


def test_no_secret_is_in_logs_tables_errors_or_messages(site: Site, log: io.StringIO) -> None:
    with serving(lambda request: Answer(404) if "n02" in request.path else Answer(body=JOIN_TOKEN.encode())) as peer:
        site.use(references=references(hosts=["127.0.0.1"]))
        location = peer.url("/join?x=1", credentials=f"drydock:{DOCUMENT_PASSWORD}@")
        design = design_of(["n01", "n02", "n03", "n04"]).decode() + BROKEN + joining(location)
        task = site.deploy(design.encode())
    first, other = site.machine("n01"), site.machine("n04")
    assert set(site.world.provisioner.deployments) == {"n01", "n04"}
    answers = list(go_wrong(first, other, first.actions(task)["greet"].id))
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 403, 404, 405}
    bundles = [first.ask("GET", f"/bootdata/n01/{kind}").status_code for kind in ("files", "units", "script")]
    assert bundles == [200, 200, 200]
    for machine in (first, other):
        action_id = machine.actions(task)["greet"].id
        assert machine.ask("POST", f"/bootaction/{action_id}", json={"status": ReportStatus.SUCCESS}).ok
    site.world.run_until_idle()
    done = site.world.orchestrator.task(task.id)
    assert done.result.status is ResultStatus.PARTIAL_SUCCESS
    shown = requests.get(f"{site.url}/tasks/{task.id}?layers=-1&builddata=true", headers=ADMIN, timeout=30)
    listed = requests.get(f"{site.url}/tasks", headers=ADMIN, timeout=30)

    eventually(log.getvalue, lambda text: listed.headers["X-Drydock-Req"] in text)
    tables = dump(site)
    # By design: a design holds what its author wrote, credentials of BMCs and of references included.
    designs = tables.pop("designs")
    assert BMC_PASSWORD in designs
    places = {
        "log": log.getvalue(),
        "tables": json.dumps(tables),
        "errors": "\n".join(answer.text for answer in answers if not answer.ok),
        "tasks": shown.text + listed.text,
    }
    assert "path=/api/v1.0/bootdata/n01/events/***" in places["log"]
    assert str(task.id) in places["tables"]
    assert len(places["errors"]) > 1000
    secrets = {
        "secret": SECRET.hex(),
        "BMC password": BMC_PASSWORD,
        "document password": DOCUMENT_PASSWORD,
        "join token": JOIN_TOKEN,
        **{f"key of {machine.node}": machine.key for machine in (first, other)},
        **{f"token of {machine.node}": machine.token for machine in (first, other)},
    }
    found = [
        (name, place, content[content.lower().index(secret) - 100 :][:200])
        for place, content in places.items()
        for name, secret in secrets.items()
        if secret in content.lower()
    ]
    assert found == []
