"""version, health, completion, node show, -o yaml, and directories of documents."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from drydock import __version__
from drydock.design.yaml_stream import read_stream
from tests.unit.client.peer import DIGEST, TASK, Peer, subtask, task

Run = Callable[..., Result]


def test_the_version_needs_no_server(run: Run) -> None:
    assert run("version", DRYDOCK_URL=None, OS_TOKEN=None).stdout == f"drydock {__version__}\n"
    assert run("version", "--server").stdout == f"drydock {__version__}\nAPI v1.0 stable\n"
    assert json.loads(run("version", "-o", "json").stdout) == {"drydock": __version__}


def test_health_names_what_is_not_well_and_fails(run: Run) -> None:
    result = run("health")
    assert result.exit_code == 1
    assert result.stdout.startswith("not well: database\n")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["database", "not", "well", "down"] in rows
    assert ["provisioner", "well"] in rows
    assert yaml.safe_load(run("health", "-o", "yaml").stdout)["dependencies"][0]["name"] == "database"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_what_completion_prints(run: Run, shell: str, tmp_path: Path) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_DRYDOCK_COMPLETE" in result.stdout
    script = tmp_path / "completion"
    script.write_text(result.stdout)
    if shutil.which(shell) is not None:
        assert subprocess.run([shell, "-n", script], capture_output=True, check=False).stderr == b""


def test_a_node_is_shown_with_its_newest_tasks(run: Run, peer: Peer) -> None:
    peer.frames = [(task(), [subtask("n1", created="2026-01-02T03:04:05+00:00")])]
    result = run("node", "show", "N1")
    assert result.exit_code == 0
    assert "power     off" in result.stdout
    assert "sub-n1" in result.stdout
    assert json.loads(run("node", "show", "n1", "-o", "json").stdout)["tasks"][0]["task_id"] == "sub-n1"
    assert "vendor                 Example" in result.stdout
    unknown = run("node", "show", "n3")
    assert (unknown.exit_code, "did you mean n" in unknown.stderr) == (1, True)


def test_the_facts_of_a_machine(run: Run) -> None:
    shown = run("node", "facts", "n1").stdout
    for text in (
        "sda, 0:2.0.0, 480.0 GB, solid state",
        "eno1, 10000 Mbit/s, at tor1 port Eth1/1",
        "redfish: 2026-01-02",
    ):
        assert text in shown
    assert run("node", "facts", "n1", "--diff").stdout.splitlines() == [
        "bios_version: 1.0 -> 1.1",
        "disk S0 is gone: sda, 0:2.0.0, 480.0 GB, solid state",
        "disk S1 is new: sda, 0:2.0.0, 480.0 GB, solid state",
    ]
    assert json.loads(run("node", "facts", "n1", "--diff", "-o", "json").stdout)[0]["new"] == "1.1"
    assert json.loads(run("node", "facts", "n1", "-o", "json").stdout)["hostname"] == "n1"
    unknown = run("node", "facts", "n2")
    assert (unknown.exit_code, "nothing is known of the hardware of node n2" in unknown.stderr) == (1, True)


@pytest.mark.parametrize(
    "command",
    [
        ("task", "list"),
        ("task", "show", TASK),
        ("task", "terminate", TASK),
        ("task", "retry", TASK),
        ("task", "create", "-a", "verify_nodes", "-d", "drydock://designs/x"),
        ("design", "list"),
        ("node", "list"),
        ("health",),
        ("version",),
    ],
)
def test_yaml_and_json_say_the_same(run: Run, command: tuple[str, ...]) -> None:
    as_json, as_yaml = run(*command, "-o", "json"), run(*command, "-o", "yaml")
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)
    assert "&id" not in as_yaml.stdout


FILES = {
    "b/nodes.yml": "# second\n---\nname: b1\n---\nname: b2",
    "a.yaml": "name: a\n",
    "c.YAML": "%YAML 1.1\n---\nname: c\n",
    "d.yaml": "# nothing but a comment",
    "e.yaml": "\ufeffname: e\n...\n",
    "notes.txt": "not: yaml",
}


def test_a_directory_is_uploaded_as_one_stream_in_the_order_of_paths(run: Run, peer: Peer, tmp_path: Path) -> None:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert run("design", "upload", str(tmp_path)).exit_code == 0
    sent = peer.calls("POST", "/api/v1.0/designs")[0][3]
    values = [document.value for document in read_stream(sent).documents if document.value]
    assert values == [{"name": name} for name in ("a", "b1", "b2", "c", "e")]
    run("design", "upload", str(tmp_path))
    assert peer.calls("POST", "/api/v1.0/designs")[1][3] == sent


def test_a_directory_of_one_file_is_that_file(run: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_bytes(b"a: 1")
    run("design", "upload", str(tmp_path))
    assert peer.calls("POST", "/api/v1.0/designs")[0][3] == b"a: 1"


def test_a_directory_without_documents_is_wrong_usage(run: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    result = run("design", "upload", str(tmp_path))
    assert (result.exit_code, "holds no .yaml or .yml files" in result.stderr) == (2, True)
    assert peer.asked == []


def test_a_node_that_is_deployed_and_held_and_whose_hardware_is_not_known(run: Run) -> None:
    shown = run("node", "show", "n2").stdout
    assert f"Runs jammy of design {DIGEST[:12]} since 2026-01-02 03:04:05 by ann" in shown
    assert "Held by bob (maintenance: a fan)." in shown
    unknown = run("node", "facts", "n2")
    assert (unknown.exit_code, "nothing is known of the hardware of node n2" in unknown.stderr) == (1, True)


def test_a_node_that_is_deployed_with_what_is_not_recorded(run: Run) -> None:
    """As one that was deployed before 0.3.0. What has no record, and is not deployed, has no such line."""
    assert "Deployed, with what is not recorded.\n" in run("node", "show", "n1").stdout
    assert "not recorded" not in run("node", "show", "n2").stdout


def test_a_node_that_is_not_held_is_released_already(run: Run, peer: Peer) -> None:
    peer.held = {"n1"}
    assert [run("node", "release", "n1").stdout, peer.held] == ["Node n1 is released.\n", set()]
    again = run("node", "release", "n1")
    assert (again.exit_code, again.stdout) == (0, "Node n1 is not held.\n")
