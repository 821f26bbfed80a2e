"""Options: defaults, files, environment, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drydock import conf
from drydock.errors import ConfigurationError

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DRYDOCK_CONFIG_FILE", "DRYDOCK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(conf, "DEFAULT_FILE", "/nonexistent")


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
    "text",
    [
        "[api]\nport = many\n",
        "[api]\nauth_strategy = none\n",
        "[api]\nworkers = 0\n",
        "[timeouts]\npower = -1\n",
        "[simulated]\nurl = ftp://x\n",
        "this is not a configuration",
    ],
)
def test_a_bad_value_is_found_at_once(tmp_path: Path, text: str) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="configuration: "):
        conf.load(["--config-file", str(file)])


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
