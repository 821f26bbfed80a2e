"""Where the image's health check asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from drydock import conf, health_check


def process(processes: Path, number: int, *words: str) -> None:
    (processes / str(number)).mkdir()
    (processes / str(number) / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))


@pytest.mark.parametrize(
    ("first", "found"),
    [
        (("python3", "/opt/drydock/bin/drydock-api", "--config-file", "a b"), ["--config-file", "a b"]),
        (("docker-init", "--", "docker-entrypoint.sh", "api"), ["--debug"]),
        (("python3", "/opt/drydock/bin/drydock-worker"), ["--debug"]),
    ],
)
def test_the_options_of_the_api_are_those_it_was_started_with(
    tmp_path: Path, first: Sequence[str], found: Sequence[str]
) -> None:
    (tmp_path / "net").mkdir()
    process(tmp_path, 1, *first)
    process(tmp_path, 17, "/opt/drydock/bin/drydock-api", "--debug")
    assert health_check.api_arguments(tmp_path) == found


def test_without_an_api_there_is_nothing_to_ask(tmp_path: Path) -> None:
    process(tmp_path, 1, "python3", "/opt/drydock/bin/drydock-worker")
    process(tmp_path, 2, "sh", "-c", "echo drydock-api")
    assert health_check.api_arguments(tmp_path) is None


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("0.0.0.0", "http://127.0.0.1:9001/api/v1.0/health"),
        ("::", "http://[::1]:9001/api/v1.0/health"),
        ("192.0.2.1", "http://192.0.2.1:9001/api/v1.0/health"),
        ("2001:db8::1", "http://[2001:db8::1]:9001/api/v1.0/health"),
    ],
)
def test_it_is_asked_where_it_listens(tmp_path: Path, host: str, asked: str) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text(f"[api]\nbind_host = {host}\nport = 9001\n")
    assert health_check.url_of(conf.load(["--config-file", str(file)])) == asked


def test_the_site_s_own_word_counts_more_than_the_image_s(tmp_path: Path) -> None:
    defaults = Path(__file__).parents[2] / "docker-defaults.conf"
    file = tmp_path / "drydock.conf"
    for text, host in (("[database]\n", "0.0.0.0"), ("[api]\nbind_host = 127.0.0.1\n", "127.0.0.1")):
        file.write_text(text)
        options = conf.load(["--config-file", str(defaults), "--config-file", str(file)])
        assert options.api.bind_host == host
