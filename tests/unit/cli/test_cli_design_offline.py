"""The commands that need no server: what they print and how they end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from drydock.cli.main import cli
from tests.factories.documents import boot_action, dump, hardware, link, network, node
from tests.factories.site import site
from tests.http_peer import Answer, serving
from tests.unit.design import real_sites

Run = Callable[..., Result]
NOBODY = {"DRYDOCK_URL": None, "OS_TOKEN": None, "OS_AUTH_URL": None}
BROKEN = b"schema: drydock/Network/v1\nmetadata: {name: oam}\ndata: {cidr: 10.0.0.7/24}\n"


@pytest.fixture
def offline() -> Run:
    """Runs ``drydock design ARGUMENTS`` with no server and no credentials."""

    def call(*arguments: str, stdin: bytes | None = None, **options: bool) -> Result:
        return CliRunner().invoke(cli, ("design", *arguments), env=NOBODY, input=stdin, **options)

    return call


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "site.yaml"
    file.write_bytes(site(["n01", "n02"]))
    return str(file)


class TestValidate:
    def test_a_good_design(self, offline: Run, good: str) -> None:
        result = offline("validate", good)
        assert result.exit_code == 0, result.output
        assert result.stdout.endswith("The design is valid: 0 errors, 1 warning.\n"), result.stdout
        assert "Validation successful" not in result.stdout
        assert "Hostname Validity: Validation successful." in offline("validate", "-v", good).stdout

    def test_a_bad_one_from_stdin(self, offline: Run) -> None:
        result = offline("validate", "-", stdin=BROKEN)
        assert result.exit_code == 1
        assert result.stdout.splitlines()[:3] == [
            "Error DD2006 cidr-validity: CIDR Validity: The provided CIDR 10.0.0.7/24 has host bits set",
            "    in drydock/Network/v1 oam",
            "    The network of this address is 10.0.0.0/24. See docs/reference/design-rules.md#dd2006-cidr-validity",
        ]
        assert "The design is invalid: 1 error, " in result.stdout

    def test_as_json(self, offline: Run) -> None:
        result = offline("validate", "-", "-o", "json", stdin=BROKEN)
        report = json.loads(result.stdout)
        assert (result.exit_code, report["valid"], report["errors"]) == (1, False, 1)
        (error,) = [message for message in report["messages"] if message["error"]]
        assert (error["name"], error["rule"]) == ("DD2006", "cidr-validity")
        assert error["documents"] == [{"schema": "drydock/Network/v1", "name": "oam"}]

    def test_colours_on_a_terminal_only(self, offline: Run) -> None:
        assert "\x1b[31m" in offline("validate", "-", stdin=BROKEN, color=True).stdout
        assert "\x1b" not in offline("validate", "-", stdin=BROKEN).stdout

    def test_a_directory_is_one_design_and_messages_name_the_file(self, offline: Run, tmp_path: Path) -> None:
        (tmp_path / "nodes").mkdir()
        (tmp_path / "nodes" / "n1.yaml").write_bytes(dump(node()))
        (tmp_path / "base.yml").write_bytes(dump(network(), link(), hardware()))
        (tmp_path / "README.md").write_text("a: [")
        assert offline("validate", str(tmp_path)).exit_code == 0
        (tmp_path / "torn.yaml").write_text("a: 1\nb: [\n")
        result = offline("validate", str(tmp_path))
        assert result.exit_code == 1
        assert "(torn.yaml line 3, column 1)" in result.stdout

    def test_nothing_to_read(self, offline: Run, tmp_path: Path) -> None:
        for arguments in (["validate"], ["validate", str(tmp_path / "gone")], ["validate", str(tmp_path)]):
            assert offline(*arguments).exit_code == 2

    def test_what_a_design_says_does_not_drive_the_terminal(self, offline: Run) -> None:
        evil = b'schema: drydock/Network/v1\nmetadata: {name: "x\\e[2J"}\ndata: {cidr: "\\e]0;x"}\n'
        assert "\x1b" not in offline("validate", "-", stdin=evil).stdout


class TestShow:
    def test_site_and_node(self, offline: Run, good: str) -> None:
        whole = json.loads(offline("show", good, "-o", "json").stdout)
        assert [found["name"] for found in whole["nodes"]] == ["n01", "n02"]
        one = json.loads(offline("show", good, "--node", "n02", "-o", "json").stdout)
        assert one == whole["nodes"][1]
        assert yaml.safe_load(offline("show", good).stdout) == whole
        assert yaml.safe_load(offline("show", good, "--node", "n02").stdout) == one

    def test_no_such_node(self, offline: Run, good: str) -> None:
        result = offline("show", good, "--node", "n9")
        assert result.exit_code == 2
        assert "n01, n02" in result.stderr

    def test_a_bad_design_shows_its_errors(self, offline: Run) -> None:
        result = offline("show", "-", stdin=BROKEN)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "has host bits set" in result.stderr

    @real_sites.needs_real_sites
    @pytest.mark.parametrize("name", real_sites.EXPECTED)
    def test_nodes_have_the_fields_keys(self, offline: Run, name: str) -> None:
        shown = json.loads(offline("show", str(real_sites.DESIGNS / f"{name}.yaml"), "-o", "json").stdout)
        wanted = real_sites.expected(name)["site"]["nodes"]
        assert [set(found) for found in shown["nodes"]] == [set(found) for found in wanted]
        assert [found["fqdn"] for found in shown["nodes"]] == [found["fqdn"] for found in wanted]


class TestNodes:
    def test_all_and_some(self, offline: Run, good: str, tmp_path: Path) -> None:
        assert offline("nodes", good).stdout == "n01\nn02\n"
        wanted = "{filter_set_type: union, filter_set: [{filter_type: union, node_names: [n02]}]}"
        assert offline("nodes", good, "--filter", wanted).stdout == "n02\n"
        (tmp_path / "filter").write_text(json.dumps({"node_filter": yaml.safe_load(wanted)}))
        assert json.loads(offline("nodes", good, "--filter", f"@{tmp_path}/filter", "-o", "json").stdout) == ["n02"]

    @pytest.mark.parametrize("text", ["{", "{}", "a", "{filter_set_type: both, filter_set: []}", "@/gone/file"])
    def test_no_filter(self, offline: Run, good: str, text: str) -> None:
        result = offline("nodes", good, "--filter", text)
        assert result.exit_code == 2
        assert "--filter" in result.stderr


class TestRender:
    def design(self, url: str) -> bytes:
        assets = [
            {"type": "file", "path": "/etc/id", "permissions": "640", "data_pipeline": ["utf8_decode", "template"]}
            | {"data": "{{ action.action_id }} {{ action.action_key[:4] }} {{ node.hostname }}"},
            {"type": "file", "path": "/opt/join.sh", "location": url, "location_pipeline": ["template"]}
            | {"data_pipeline": [], "permissions": "755"},
            {"type": "pkg_list", "data": {"vim": "1.2-3"}},
        ]
        return dump(network(), link(), hardware(), node(), boot_action(assets=assets))

    def test_files_with_their_permissions(self, offline: Run, tmp_path: Path) -> None:
        (tmp_path / "join").write_bytes(b"#!/bin/sh\n")
        content = self.design("promenade+http://p.example/join?name={{ node.hostname }}")
        answer = f"promenade+http://p.example/join?name=n1={tmp_path}/join"
        arguments = ["render", "-", "--node", "n1", "--out", str(tmp_path / "out"), "-o", "json"]
        result = offline(*arguments, "--reference", answer, stdin=content)
        assert result.exit_code == 0, result.output
        made = tmp_path / "out"
        assert (made / "etc/id").read_text() == "00041061050R3GG28A1C60T3GF 0001 n1"
        assert (made / "etc/id").stat().st_mode & 0o777 == 0o640
        assert (made / "opt/join.sh").read_bytes() == b"#!/bin/sh\n"
        assert json.loads((made / "packages.json").read_text()) == {"vim": "1.2-3"}
        listed = json.loads(result.stdout)["assets"]
        assert listed[1]["sha256"] == hashlib.sha256(b"#!/bin/sh\n").hexdigest()
        assert offline(*arguments, "--reference", answer, stdin=content).stdout == result.stdout

    def test_a_reference_nobody_answers(self, offline: Run) -> None:
        result = offline("render", "-", "--node", "n1", stdin=self.design("http://127.0.0.1:9/x"))
        assert result.exit_code == 1
        assert "--reference 'http://127.0.0.1:9/x=FILE'" in result.stderr

    def test_credentials_of_a_reference_are_not_shown_and_need_not_be_repeated(
        self, offline: Run, tmp_path: Path
    ) -> None:
        content = self.design("http://user:hunter2@p.example/x?token=abc123")
        result = offline("render", "-", "--node", "n1", stdin=content)
        assert "--reference 'http://p.example/x*=FILE'" in result.stderr
        assert not any(secret in result.output + result.stderr for secret in ("hunter2", "abc123"))
        (tmp_path / "file").write_bytes(b"x")
        answer = f"--reference=http://p.example/x*={tmp_path}/file"
        assert offline("render", "-", "--node", "n1", answer, stdin=content).exit_code == 0

    def test_a_service_is_asked_with_a_token_that_somebody_has_to_give(self, offline: Run) -> None:
        content = self.design("promenade+http://127.0.0.1:9/x")
        result = offline("render", "-", "--node", "n1", "--fetch", stdin=content)
        assert result.exit_code == 1
        assert "is fetched with a token: source an openrc file" in result.stderr

    def test_fetched_or_answered_for_all_that_start_so(self, offline: Run, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"from a file")
        with serving(lambda _: Answer(body=b"from the net")) as peer:
            content = self.design(peer.url("/x"))
            wanted = {"--fetch": b"from the net", f"--reference=http://127.0.0.1*={tmp_path}/file": b"from a file"}
            for option, body in wanted.items():
                result = offline("render", "-", "--node", "n1", "-o", "json", option, stdin=content)
                digests = [asset["sha256"] for asset in json.loads(result.stdout)["assets"]]
                assert hashlib.sha256(body).hexdigest() in digests

    def test_links_do_not_lead_out(self, offline: Run, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out" / "etc").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "x").write_bytes(b"x")
        arguments = ["--out", str(tmp_path / "out"), "--reference", f"http://a/*={tmp_path}/x"]
        result = offline("render", "-", "--node", "n1", *arguments, stdin=self.design("http://a/x"))
        assert result.exit_code == 1
        assert "outside" in result.stderr
        assert list((tmp_path / "elsewhere").iterdir()) == []

    @real_sites.needs_real_sites
    def test_the_fields_bytes(self, offline: Run, tmp_path: Path) -> None:
        name = "aiab-gate-multinode"
        wanted = real_sites.expected(name)["assets"]
        inputs = ["--design-ref", wanted["design_ref"], "--report-url", wanted["report_url"]]
        file = str(real_sites.DESIGNS / f"{name}.yaml")
        (tmp_path / "x").write_bytes(b"x")
        result = offline(
            "render", file, "--node", "n1", "-o", "json", *inputs, "--reference", f"promenade+http*={tmp_path}/x"
        )
        found = {(item["bootaction"], item["path"]): item["sha256"] for item in json.loads(result.stdout)["assets"]}
        own = [item for item in wanted["rendered"] if item["node"] == "n1"]
        assert {(item["bootaction"], item["path"]) for item in own} == set(found)
        same = [item for item in own if found[item["bootaction"], item["path"]] == item["sha256"]]
        assert len(same) >= len(own) - 1


class TestRenderAll:
    def design(self, template: str) -> bytes:
        file = {"type": "file", "path": "/etc/x", "data": template, "data_pipeline": ["utf8_decode", "template"]}
        nodes = [node("n1"), node("n2", addressing=[{"network": "pxe", "address": "10.0.0.12"}])]
        return dump(network(), link(), hardware(), *nodes, boot_action("a", assets=[file]))

    def test_every_node_has_its_own(self, offline: Run, tmp_path: Path) -> None:
        content = self.design("{{ node.hostname }}")
        result = offline("render", "-", "--all", "--out", str(tmp_path / "out"), "-o", "json", stdin=content)
        assert result.exit_code == 0, result.output
        assert [found["node"] for found in json.loads(result.stdout)["nodes"]] == ["n1", "n2"]
        for name in ("n1", "n2"):
            assert (tmp_path / "out" / name / "etc" / "x").read_text() == name

    def test_one_that_fails_does_not_keep_the_others(self, offline: Run) -> None:
        content = self.design("{% if node.hostname == 'n1' %}{{ 1 / 0 }}{% endif %}{{ node.rack }}")
        result = offline("render", "-", "--all", stdin=content)
        assert result.exit_code == 1
        assert "Error: n1: boot action a: asset /etc/x: data_pipeline segment template: ZeroDivision" in result.stderr
        assert "Warning: n2: boot action a: asset /etc/x: the template uses undefined names: rack" in result.stderr
        assert "n2" in result.stdout

    def test_which_nodes_must_be_said(self, offline: Run) -> None:
        for arguments in ((), ("--all", "--node", "n1")):
            result = offline("render", "-", *arguments, stdin=self.design("x"))
            assert result.exit_code == 2
            assert "give either --node NAME or --all" in result.stderr
