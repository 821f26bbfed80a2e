"""Options: defaults, files, environment, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drydock import conf
from drydock.errors import ConfigurationError
from drydock.start import Checks

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever this machine has in /etc is not read."""
    monkeypatch.delenv("DRYDOCK_DATABASE_URL", raising=False)
    empty = tmp_path / "empty.conf"
    empty.touch()
    monkeypatch.setenv("DRYDOCK_CONFIG_FILE", str(empty))


def test_the_defaults_are_those_of_the_field() -> None:
    options = conf.load()
    assert options.api.bind_host == "127.0.0.1"
    assert options.api.port == 9000
    assert options.api.auth_strategy == "keystone"
    assert options.timeouts.deploy_node == 45
    assert options.bootaction.report_url == "http://localhost:9000/api/v1.0/bootaction/"
    assert options.references.file_roots == []


def test_each_load_is_private(tmp_path: Path) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text("[api]\nport = 9009\n")
    assert conf.load(["--config-file", str(file)]).api.port == 9009
    assert conf.load().api.port == 9000


def test_the_environment_names_a_file_and_overrides_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text("[database]\nurl = postgresql+psycopg2://file/db\n[api]\nport = 9009\nthreads = 3\n")
    monkeypatch.setenv("OS_API__PORT", "9010")
    environ = {"DRYDOCK_CONFIG_FILE": str(file), "DRYDOCK_DATABASE_URL": "postgresql+psycopg2://env/db"}
    options = conf.load(env=environ)
    assert (options.api.threads, options.api.port) == (3, 9010)
    assert options.database.url == "postgresql+psycopg2://env/db"


@pytest.mark.parametrize(
    ("text", "where", "wanted"),
    [
        ("[api]\nport = many\n", "[api] port in FILE: ", "a whole number from 1 to 65535"),
        ("[api]\nauth_strategy = none\n", "[api] auth_strategy in FILE: ", "one of keystone, noauth"),
        ("[api]\nworkers = 0\n", "[api] workers in FILE: ", "a whole number from 1"),
        ("[api]\nbind_host = http://x\n", "[api] bind_host in FILE: ", "an address or a host's name"),
        ("[timeouts]\npower = -1\n", "[timeouts] power in FILE: ", "from 0.001"),
        ("[timeouts]\npower = nan\n", "[timeouts] power in FILE: ", "a number"),
        ("[bootaction]\ntemplate_max_seconds = inf\n", "[bootaction] template_max_seconds in FILE: ", "a number"),
        ("[simulated]\nurl = ftp://x\n", "[simulated] url in FILE: ", "a URL such as"),
        ("[references]\nallowed_hosts = https://x\n", "[references] allowed_hosts in FILE: ", "no scheme"),
        ("[references]\nallowed_addresses = 10.0.0.0/33\n", "[references] allowed_addresses in FILE: ", "a CIDR"),
        ("[references]\nallowed_schemes = htp\n", "[references] allowed_schemes in FILE: ", "one of drydock"),
        ("[references]\nca_file = /nonexistent\n", "[references] ca_file in FILE: ", "does not exist"),
        ("[references]\nca_file = /etc/passwd\n", "[references] ca_file in FILE: ", "PEM"),
        ("[references]\nfile_roots = /nonexistent\n", "[references] file_roots in FILE: ", "an existing directory"),
        ("[redfish]\nendpoint = https://{adress}\n", "[redfish] endpoint in FILE: ", "{address}"),
        ("[bootaction]\nreport_tool = bin/tool\n", "[bootaction] report_tool in FILE: ", "an absolute path"),
        ("this is not a configuration", "FILE, line 1: ", "option = value"),
        ("[api]\nport = 1\n\n  continued\n", "FILE, line 4: ", "option = value"),
    ],
)
def test_a_bad_value_is_found_at_once(tmp_path: Path, text: str, where: str, wanted: str) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        conf.load(["--config-file", str(file)])
    message = str(caught.value).replace(str(file), "FILE")
    assert message.startswith(where)
    assert wanted in message


@pytest.mark.parametrize(
    "url",
    [
        "drydock.example.org/api", "//x/", "ftp://x/", "http://", "http:///x", "http://a b/", "http://x/$(id)/", "http://x/`id`",
        "http://x/'", 'http://x/"', "http://x/;id", "http://x/?a=b", "http://x/#f", "http://u:secret@x/", "http://x:0/",
        "http://x:99999/", "http://1.2.3/", "http://-x/", "http://[1.2.3.4]/", "http://x/%zz", "http://x/é", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("option", ["report_url", "bootdata_url"])
def test_what_scripts_are_told_is_a_plain_url(tmp_path: Path, url: str, option: str) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text(f"[bootaction]\n{option} = {url.replace('$', '$$')}\n")
    with pytest.raises(ConfigurationError) as caught:
        conf.load(["--config-file", str(file)])
    assert str(caught.value).startswith(f"[bootaction] {option} in {file}: must be a URL")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("group", "option"), [("database", "url"), ("keystone_authtoken", "password"), ("bootaction", "secrets")]
)
@pytest.mark.parametrize("value", ["pa$hunter", "pa${hunter}", "pa$api", "${nogroup.hunter}", "pa$database.hunter"])
def test_a_dollar_is_explained_and_no_value_shown(tmp_path: Path, group: str, option: str, value: str) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text(f"[{group}]\n{option} = {value}\n")
    with pytest.raises(ConfigurationError) as caught:
        Checks(conf.load(["--config-file", str(file)]))
    assert str(caught.value).startswith(f"[{group}] {option} in {file}: $NAME in it")
    assert "hunter" not in str(caught.value)


def test_a_dollar_that_means_itself_is_doubled(tmp_path: Path) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text("[database]\nurl = postgresql://u:pa$$word@h/d\n")
    assert conf.load(["--config-file", str(file)]).database.url == "postgresql://u:pa$word@h/d"
    environ = {"DRYDOCK_DATABASE_URL": "postgresql://u:pa$word$$x@h/d"}
    assert conf.load(env=environ).database.url == environ["DRYDOCK_DATABASE_URL"], "taken as it is"


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "drydock.conf"
    file.write_bytes(b"[database]\nurl = \xff\xfe\n")
    for path in (file, tmp_path):
        with pytest.raises(ConfigurationError, match=str(path)):
            conf.load(["--config-file", str(path)])


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(ConfigurationError):
        conf.load(["--config-file", "/nonexistent/drydock.conf"])


def _with_secrets(monkeypatch: pytest.MonkeyPatch, value: str) -> tuple[bytes, ...]:
    monkeypatch.setenv("OS_BOOTACTION__SECRETS", value)
    return conf.boot_secrets(conf.load())


def test_secrets_are_bytes_the_signing_one_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _with_secrets(monkeypatch, f"{'ab' * 16},{'CD' * 32}") == (b"\xab" * 16, b"\xcd" * 32)


@pytest.mark.parametrize("value", ["", "ab" * 15, f"{'ab' * 16},{'xy' * 16}", "a" * 33])
def test_bad_secrets_are_refused_without_being_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _with_secrets(monkeypatch, value)
    assert not value or value.split(",")[-1] not in str(caught.value)


def test_half_of_the_threads_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert conf.max_waiting(conf.load()) == 8
    monkeypatch.setenv("OS_API__MAX_WAITING", "0")
    assert conf.max_waiting(conf.load()) == 0


def test_every_option_has_help_for_a_stranger() -> None:
    for group, options in conf.list_opts():
        for option in options:
            assert option.help, f"[{group}] {option.name}"
            assert option.help.endswith("."), f"[{group}] {option.name}"


@pytest.mark.parametrize(
    ("generator", "settings", "sample"),
    [
        ("oslo_config.generator", "config-generator.conf", "drydock.conf.sample"),
        ("oslo_policy.generator", "policy-generator.conf", "policy.yaml.sample"),
    ],
)
def test_the_samples_are_up_to_date(generator: str, settings: str, sample: str, tmp_path: Path) -> None:
    function = "main" if generator.startswith("oslo_config") else "generate_sample"
    output = tmp_path / sample
    arguments = ["--config-file", f"etc/drydock/{settings}", "--output-file", str(output)]
    program = f"import sys; from {generator} import {function}; {function}(sys.argv[1:])"
    subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, check=True, timeout=60)
    assert output.read_text() == (ROOT / "etc/drydock" / sample).read_text()
