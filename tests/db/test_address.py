"""``[database] url``: what is accepted, and the errors for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from drydock.db.address import DEFAULTS, asked_first, libpq_parameters
from drydock.errors import ConfigurationError

OURS = {**DEFAULTS, "fallback_application_name": "tests", "client_encoding": "UTF8"}

SEVERAL = {"target_session_attrs": "read-write"}


def parameters_of(url: str) -> dict[str, str]:
    """Without what we add."""
    found = libpq_parameters(url, application_name="tests")
    return {name: value for name, value in found.items() if OURS.get(name) != value}


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
@pytest.mark.parametrize(
    ("rest", "parameters"),
    [
        ("u:p@h:5433/n", {"user": "u", "password": "p", "host": "h", "port": "5433", "dbname": "n"}),
        ("u@h/n%20m", {"user": "u", "host": "h", "dbname": "n m"}),
        ("u:p%40%3A%2F%25@[::1]:1/n", {"user": "u", "password": "p@:/%", "host": "::1", "port": "1", "dbname": "n"}),
        # As SQLAlchemy understood them, which read the URL before.
        ("u:p/a:s?q#x@h/n", {"user": "u", "password": "p/a:s?q#x", "host": "h", "dbname": "n"}),
        ("u@corp:p@h/n", {"user": "u@corp", "password": "p", "host": "h", "dbname": "n"}),
        ("/n", {"dbname": "n"}),
        ("/n?host=/run/pg", {"dbname": "n", "host": "/run/pg"}),
        ("%2Frun%2Fpg/n", {"dbname": "n", "host": "/run/pg"}),
        ("a:1,b:2/n", {"host": "a,b", "port": "1,2", "dbname": "n", **SEVERAL}),
        ("a,b/n", {"host": "a,b", "dbname": "n", **SEVERAL}),
        ("/n?host=a:1&host=b:2", {"host": "a,b", "port": "1,2", "dbname": "n", **SEVERAL}),
        ("/n?host=a&host=b", {"host": "a,b", "dbname": "n", **SEVERAL}),
        ("/n?host=a,b&port=1,2", {"host": "a,b", "port": "1,2", "dbname": "n", **SEVERAL}),
        ("a,b/n?target_session_attrs=any", {"host": "a,b", "dbname": "n", "target_session_attrs": "any"}),
        ("?service=s", {"service": "s"}),
        ("h?dbname=n", {"host": "h", "dbname": "n"}),
        ("/n?options=-csearch_path%3Dx", {"dbname": "n", "options": "-csearch_path=x"}),
        ("/n?application_name=a&connect_timeout=9", {"dbname": "n", "application_name": "a", "connect_timeout": "9"}),
        ("/n?client_encoding=latin1", {"dbname": "n"}),
    ],
)
def test_everything_that_libpq_knows_is_kept(scheme: str, rest: str, parameters: dict[str, str]) -> None:
    assert parameters_of(f"{scheme}://{rest}") == parameters


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "must begin with postgresql://"),
        ("s3cret", "must begin with postgresql://"),
        ("sqlite:////s3cret", "must begin with postgresql://"),
        ("postgresql+asyncpg://u:s3cret@h/n", "must begin with postgresql://"),
        ("mysql://u:s3cret@h/n", "must begin with postgresql://"),
        ("postgresql://u:s3cret@h", "names no database"),
        ("postgresql://u:s3cret@h/", "names no database"),
        ("postgresql://u:s3cret@h:x1/n", "port is not a number"),
        ("postgresql://u:s3cret@h:123456/n", "port is not a number"),
        ("postgresql://u:s3cret@h/n?port=x", "port is not a number"),
        ("postgresql://u:p@s3cret@h/n", "percent-encoded"),
        ("postgresql://u:p@s3cret:x@h/n", "percent-encoded"),
        ("postgresql://u:p:@/%s3cret@h:5432/n", "percent-encoded"),
        ("postgresql://u:p@1/s3cret@h/n", "percent-encoded"),
        ("postgresql://u:p@h?s3cret=1@h/n", "percent-encoded"),
        ("postgresql://u:p@[s3cret@h/n", "percent-encoded"),
        ("postgresql://h/n?sslmod=s3cret", "did you mean sslmode?"),
        ("postgresql://h/n?connect_timeout=s3cret", "connect_timeout is not a number"),
        ("postgresql://h/n?keepalives_idle=s3cret", "keepalives_idle is not a number"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_of_it_is_shown(url: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        libpq_parameters(url, application_name="tests")
    text = str(refused.value)
    assert text.startswith("[database] url: ")
    assert hint in text
    assert "s3cret" not in text
    assert "\n" not in text
    assert refused.value.__cause__ is None


def test_what_the_environment_and_the_service_file_say_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "20")
    assert "connect_timeout" not in libpq_parameters("postgresql:///n", application_name="tests")
    monkeypatch.delenv("PGCONNECT_TIMEOUT")
    file = tmp_path / "services.conf"
    file.write_text("[s]\nhost=h\nport=7\ntcp_user_timeout=60000\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    found = libpq_parameters("postgresql://?service=s", application_name="tests")
    assert (found["service"], found["tcp_user_timeout"]) == ("s", "60000")
    assert "port" not in found, "libpq reads it"
    monkeypatch.setenv("PGSERVICE", "s")
    assert libpq_parameters("postgresql://", application_name="tests")["tcp_user_timeout"] == "60000"


@pytest.mark.parametrize(
    ("url", "answered", "hosts", "ports"),
    [
        ("postgresql://a:1,b:2,c:3/n", ("b", 2), "b,a,c", "2,1,3"),
        ("postgresql://a,b/n", ("b", 5432), "b,a", ","),
        ("postgresql:///n?host=a,a&port=1,2", ("a", 2), "a,a", "2,1"),
        ("postgresql:///n?host=a,b&port=7", ("b", 7), "b,a", "7,7"),
        ("postgresql://a:1,b:2/n", ("somebody", 2), "a,b", "1,2"),
    ],
)
def test_the_host_that_answered_is_asked_first(url: str, answered: tuple[str, int], hosts: str, ports: str) -> None:
    found = asked_first(libpq_parameters(url, application_name="tests"), *answered)
    assert (found["host"], found["port"]) == (hosts, ports)
