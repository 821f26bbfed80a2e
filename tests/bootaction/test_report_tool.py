"""drydock-report, run for real, and what a node is given for it."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from drydock.bootaction.report_tool import report_tool
from drydock.model.boot_asset import BootActionDesign
from tests.http_peer import Answer, Peer, serving
from tests.unit.bootaction.machine import KINDS, Machine
from tests.unit.bootaction.sites import KEY, ULID

PATH = f"/report/{ULID}"
TOOL = "/usr/local/bin/drydock-report"


@pytest.fixture(params=KINDS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine", request.param)


def action(name: str, *, signaling: bool = True) -> BootActionDesign:
    return BootActionDesign(name, signaling, ())


def run(
    machine: Machine, service: Peer, *arguments: str, names: tuple[str, ...] = ("greet",)
) -> subprocess.CompletedProcess[str]:
    wanted = [(action(name), ULID) for name in names]
    tool, *settings = report_tool(TOOL, wanted, key=KEY, report_url=service.url("/report/"))
    actions = machine.directory / "actions"
    actions.mkdir(exist_ok=True)
    for asset in settings:
        (actions / Path(asset.path or "").name).write_bytes(asset.content)
    return machine.run(tool.content.decode(), *arguments, DRYDOCK_ACTIONS=str(actions), DRYDOCK_REPORT_ATTEMPTS="4")


def test_what_a_node_gets() -> None:
    wanted = [
        *((action("a"), "1" * 26), (action("quiet", signaling=False), "2" * 26)),
        *((action("a"), "3" * 26), (action("../b c"), "4" * 26)),
    ]
    tool, *settings = report_tool(TOOL, wanted, key=KEY, report_url="http://h/")
    assert (tool.path, tool.mode) == (TOOL, 0o755)
    assert KEY.hex() not in tool.content.decode()
    names = ["a.env", f"a-{'3' * 26}.env", "_._b_c.env"]
    assert [asset.path for asset in settings] == [f"/etc/drydock/actions/{name}" for name in names]
    assert {stat.S_IMODE(asset.mode) for asset in settings} == {0o600}
    assert settings[0].content.decode().splitlines() == [
        f"DRYDOCK_ACTION_ID={'1' * 26}",
        "DRYDOCK_REPORT_URL=http://h/",
        f"DRYDOCK_BOOTACTION_KEY={KEY.hex()}",
    ]


def test_a_message_and_a_status(machine: Machine) -> None:
    text = 'half "done"\n\twith \\ and é'
    with serving(lambda _: Answer(200, b"{}")) as service:
        assert run(machine, service, "--message", text).returncode == 0
        assert run(machine, service, "--message", "broke", "--error").returncode == 0
        assert run(machine, service, "--status", "failure", "--message", "over").returncode == 0
        assert run(machine, service, "--status", "success").returncode == 0
    # Without iconv nobody knows whether what is not ASCII is UTF-8, and a report must be.
    said = text.replace("é", "")
    assert service.posted(PATH) == [
        {"details": [{"message": said, "error": False}]},
        {"details": [{"message": "broke", "error": True}]},
        {"status": "failure", "details": [{"message": "over", "error": True}]},
        {"status": "success", "details": []},
    ]
    assert {request.headers["X-Bootaction-Key"] for request in service.requests} == {KEY.hex()}
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 4


def test_it_tries_again_with_the_same_idempotency_key(machine: Machine) -> None:
    troubles = iter([Answer(503), Answer(500)])
    with serving(lambda _: next(troubles, Answer(200, b"{}"))) as service:
        assert run(machine, service, "--status", "success").returncode == 0
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 1
    assert machine.noted("sleeps") == ["1", "2"]


def test_what_is_refused_is_not_repeated(machine: Machine) -> None:
    with serving(lambda _: Answer(409)) as service:
        done = run(machine, service, "--status", "success")
    assert (done.returncode, len(service.requests)) == (1, 1)
    assert "HTTP status 409" in done.stderr


def test_giving_up(machine: Machine) -> None:
    with serving(lambda _: Answer(503)) as service:
        done = run(machine, service, "--status", "success")
    assert (done.returncode, len(service.requests), machine.left_behind()) == (1, 4, [])


@pytest.mark.parametrize(("code", "status"), [(0, "success"), (7, "failure")])
def test_wrapping_a_command(machine: Machine, code: int, status: str) -> None:
    command = f'awk "BEGIN {{ for (i = 0; i < 3000; i++) print i }}"; printf "last \\377\\n" >&2; exit {code}'
    with serving(lambda _: Answer(200, b"{}")) as service:
        done = run(machine, service, "--wrap", "sh", "-c", command)
    assert (done.returncode, done.stdout[-12:]) == (code, "2999\nlast \ufffd\n")
    start, end = service.posted(PATH)
    assert start == {"details": [{"message": "running sh", "error": False}]}
    (detail,) = end["details"]
    assert (end["status"], detail["error"]) == (status, code != 0)
    assert detail["message"].startswith(f"sh ended with exit status {code}\n")
    assert detail["message"].endswith("2998\n2999\nlast ")
    assert len(detail["message"]) < 4100


def test_which_boot_action(machine: Machine) -> None:
    with serving(lambda _: Answer(200, b"{}")) as service:
        several = run(machine, service, "--status", "success", names=("one", "two"))
        named = run(machine, service, "--action", "two", "--status", "success", names=("one", "two"))
        unknown = run(machine, service, "--action", "three", "--status", "success", names=("one", "two"))
    assert (several.returncode, named.returncode, unknown.returncode) == (2, 0, 2)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["--wrap"], ["--message"], ["--status", "maybe"], ["--error"], ["--status", "success", "--wrap", "x"], ["x"]],
)
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    machine = Machine(tmp_path / "machine", "dash+curl")
    with serving(lambda _: Answer(200, b"{}")) as service:
        done = run(machine, service, *arguments)
    assert (done.returncode, service.requests) == (2, [])
    assert "usage:" in done.stderr
