"""``drydock design diff``: sources, forms of output and exit statuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drydock.cli.main import cli

Run = Callable[..., Result]
EXAMPLE = (Path(__file__).parents[3] / "etc/drydock/examples/site.yaml").read_text()
SECRET = "not-a-real-password"


@pytest.fixture
def diff() -> Run:
    def call(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cli, ("design", "diff", *arguments), input=stdin)

    return call


@pytest.fixture
def old(tmp_path: Path) -> str:
    return _file(tmp_path / "old.yaml", EXAMPLE)


@pytest.fixture
def new(tmp_path: Path) -> str:
    assert "image: " in EXAMPLE
    lines = [line.split("image: ")[0] + "image: jammy" if "image: " in line else line for line in EXAMPLE.split("\n")]
    return _file(tmp_path / "new.yaml", "\n".join(lines))


def _file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_no_changes_end_with_0(diff: Run, old: str) -> None:
    done = diff(old, old)
    assert (done.exit_code, done.output) == (0, "No changes.\n")


def test_changes_end_with_2_and_equal_ones_are_one_group(diff: Run, old: str, new: str) -> None:
    done = diff(old, new)
    assert done.exit_code == 2
    assert done.output.splitlines()[0].startswith("12 nodes (to deploy again): n01, n02")
    assert "  ~ platform.image: " in done.output
    assert done.output.splitlines()[-1] == "Nodes: 12 changed, 12 to deploy again."


def test_programs_get_every_name_and_both_values(diff: Run, old: str, new: str) -> None:
    done = diff(old, new, "-o", "json")
    found = json.loads(done.output)
    assert found["summary"] == {"added": 0, "removed": 0, "changed": 12, "to_deploy_again": 12, "unchanged": 0}
    (group,) = found["groups"]
    assert len(group["nodes"]) == 12
    (change,) = group["changes"]
    assert (change["path"], change["new"]) == ("platform.image", "jammy")
    assert set(change) == {"path", "old", "new"}


def test_a_pull_request_gets_markdown(diff: Run, old: str, new: str) -> None:
    text = diff(old, new, "-o", "markdown").output
    assert text.startswith("**Nodes: 12 changed")
    assert "```diff\n! platform.image: " in text
    assert "n12" in text


def test_an_invalid_design_ends_with_1_and_says_which_and_why(diff: Run, old: str, tmp_path: Path) -> None:
    bad = _file(tmp_path / "bad.yaml", EXAMPLE.replace("cidr: ", "cidr: 300.", 1))
    done = diff(old, bad)
    assert done.exit_code == 1
    assert f"{bad}:" in done.output
    assert "The design is invalid" in done.output


@pytest.mark.parametrize(
    "arguments", [("-", "-"), ("/nowhere.yaml", "-"), ("git:HEAD", "-"), ("git:--help:x", "-"), ()]
)
def test_what_cannot_be_read_ends_with_1(diff: Run, arguments: tuple[str, ...]) -> None:
    done = diff(*arguments, stdin=EXAMPLE)
    assert done.exit_code == 1
    assert "Error: " in done.output


def test_an_unknown_node_or_option_ends_with_1(diff: Run, old: str) -> None:
    assert diff(old, old, "-n", "nobody").exit_code == 1
    assert diff(old, old, "--nothing").exit_code == 1


@pytest.mark.parametrize("before", [("--bogus", "design"), ("design", "--bogus")], ids=" ".join)
def test_wrong_usage_before_the_command_ends_with_1_as_well(old: str, before: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, (*before, "diff", old, old))
    assert (done.exit_code, "No such option" in done.output) == (1, True)
    assert CliRunner().invoke(cli, (*before, "validate", old)).exit_code == 2


def test_one_side_may_be_stdin(diff: Run, new: str) -> None:
    assert diff("-", new, "-n", "n01", stdin=EXAMPLE).exit_code == 2


def test_secrets_are_not_shown(diff: Run, old: str, tmp_path: Path) -> None:
    other = _file(tmp_path / "other.yaml", EXAMPLE.replace(SECRET, "another-password"))
    for output in ("text", "markdown", "json", "yaml"):
        done = diff(old, other, "-o", output)
        assert done.exit_code == 2
        assert "password" not in done.output
        assert "(changed)" in done.output


@pytest.mark.parametrize("path", ["site", "site/", "./site", "site/all.yaml", ""])
def test_a_revision_of_a_repository(
    diff: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: str, path: str
) -> None:
    repository = tmp_path / "repository"
    (repository / "site").mkdir(parents=True)
    _file(repository / "site/all.yaml", EXAMPLE)
    _commit(repository)
    monkeypatch.chdir(repository)
    _file(repository / "site/all.yaml", Path(new).read_text())
    done = diff(f"git:HEAD:{path}", "site")
    assert (done.exit_code, done.output.splitlines()[-1]) == (2, "Nodes: 12 changed, 12 to deploy again.")
    assert diff(f"git:HEAD:{path}", f"git:HEAD:{path}").exit_code == 0
    assert diff("git:HEAD:elsewhere", "site").exit_code == 1


@pytest.mark.parametrize("path", ["site", "linked", "./linked/", "linked/sub", "site/sub/part.yaml", "linked/all.yaml"])
def test_symbolic_links_of_a_revision_are_followed_as_in_a_work_tree(
    diff: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    repository = tmp_path / "repository"
    (repository / "site/sub").mkdir(parents=True)
    _file(repository / "shared.yaml", EXAMPLE)
    for link, target in {
        "site/all.yaml": "../shared.yaml",
        "site/sub/part.yaml": "../../shared.yaml",
        "site/dangling.yaml": "nowhere.yaml",
        "site/loop.yaml": "loop.yaml",
        "site/directory.yaml": "sub",
        "linked": "site",
    }.items():
        (repository / link).symlink_to(target)
    if path in ("site", "linked", "./linked/"):
        (repository / "site/sub/part.yaml").unlink()
    _commit(repository)
    monkeypatch.chdir(repository)
    done = diff(f"git:HEAD:{path}", path)
    assert (done.exit_code, done.output) == (0, "No changes.\n")


@pytest.mark.parametrize(
    ("target", "path", "says"),
    [
        ("/etc/hostname", "site", "leads out of the repository, to /etc/hostname"),
        ("../../other.yaml", "site", "leads out of the repository, to ../other.yaml"),
        ("../../other.yaml", "site/all.yaml", "leads out of the repository, to ../other.yaml"),
        ("nowhere.yaml", "site/all.yaml", "leads to no file of the repository"),
        ("all.yaml", "site/all.yaml", "leads to no file of the repository"),
    ],
)
def test_a_symbolic_link_that_a_revision_cannot_follow(
    diff: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, target: str, path: str, says: str
) -> None:
    repository = tmp_path / "repository"
    (repository / "site").mkdir(parents=True)
    _file(tmp_path / "other.yaml", EXAMPLE)
    (repository / "site/all.yaml").symlink_to(target)
    _commit(repository)
    monkeypatch.chdir(repository)
    done = diff(f"git:HEAD:{path}", old)
    assert (done.exit_code, says in done.output) == (1, True), done.output


def _commit(repository: Path) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(repository), *command], check=True)
