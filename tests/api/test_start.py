"""A bad configuration: real programs, one sentence, no secret, the end; before anything is forked or connected to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dev import processes
from drydock.conf.upstream import INSTEAD

ROOT = Path(__file__).parents[2]
SECRET = "5ec2e7" * 12
PASSWORD = "hunter2"
GUNICORN = ("-m", "gunicorn", "-c", str(ROOT / "etc/drydock/gunicorn.conf.py"), "drydock.wsgi:application")
COMMANDS = {
    "api": ("-m", "drydock.serve"),
    "worker": ("-m", "drydock.worker"),
    "gunicorn": GUNICORN,
}
#: What works, as far as it can be told without connecting; port 9 is no database.
GOOD = f"""
[database]
url = postgresql://drydock:{PASSWORD}@127.0.0.1:9/drydock
[bootaction]
secrets = {SECRET}
[drivers]
node = simulated
oob = redfish
"""
NOAUTH = "[api]\nauth_strategy = noauth\n"
KEYSTONE = f"""[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:9/v3
username = drydock
password = {PASSWORD}
user_domain_name = Default
project_name = service
project_domain_name = Default
"""


def ended(which: str, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**processes.neutral_environment(), "DRYDOCK_CONFIG_FILE": str(file), "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, *COMMANDS[which]]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, cwd=file.parent, check=False)


def refusal(which: str, tmp_path: Path, text: str, **environment: str) -> str:
    """The one line that a program says before it ends; its file is called FILE in it."""
    file = tmp_path / "drydock.conf"
    file.write_text(text)
    done = ended(which, file, **environment)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert len(said.splitlines()) == 1, said
    assert "Traceback" not in said
    for secret in (SECRET[:12], PASSWORD):
        assert secret not in said
    return said.strip().replace(str(file), "FILE")


OF_BOTH = {
    "dollar": (GOOD.replace(PASSWORD, PASSWORD + "$tail"), "[database] url in FILE: $NAME in it"),
    "no secret": (GOOD.replace(SECRET, ""), "[bootaction] secrets in FILE: is empty"),
    "bad secret": (GOOD.replace(SECRET, SECRET + "x"), "[bootaction] secrets in FILE: number 1 is not"),
    "report_url": (
        GOOD.replace("[drivers]", "report_url = http://x/`id`/\n[drivers]"),
        "[bootaction] report_url in FILE",
    ),
    "driver": (GOOD.replace("node = simulated", "node = maas"), "[drivers] node in FILE: there is no driver 'maas'"),
    "no driver": (GOOD.replace("node = simulated", ""), "[drivers] node: is not set"),
    "unparsed": (GOOD + f"{PASSWORD}\n", "FILE, line 9: is neither"),
    "keystone password": (
        GOOD + KEYSTONE.replace(PASSWORD, f"{PASSWORD}$x"),
        "[keystone_authtoken] password in FILE: $NAME",
    ),
    "keystone file": (GOOD + KEYSTONE + "cafile = /nonexistent\n", "[keystone_authtoken] cafile in FILE: the"),
}
OF_API = {
    "no keystone": (GOOD, "[keystone_authtoken] auth_type: is not set"),
    "no project": (
        GOOD + KEYSTONE.replace("project_name = service\n", ""),
        "[keystone_authtoken] project_name: is not",
    ),
    "no policy file": (
        GOOD + NOAUTH + "[oslo_policy]\npolicy_file = /nonexistent\n",
        "[oslo_policy] policy_file in FILE",
    ),
    "noauth for all": (GOOD + NOAUTH + "bind_host = 0.0.0.0\n", "[api] auth_strategy = noauth serves loopback"),
    "node_listen": (GOOD + NOAUTH + "node_listen = 1.2.3.4\n", "[api] node_listen in FILE: must be HOST:PORT"),
}
OF_API |= {
    f"bind_host {host}": (
        GOOD + KEYSTONE + f"[api]\nbind_host = {host}\n",
        "[api] bind_host in FILE: cannot listen there",
    )
    for host in ("192.0.2.1", "nosuch.invalid", "2001:db8::1")
}
OF_WORKER = {
    "no oob": (GOOD.replace("oob = redfish", ""), "[drivers] oob: is not set"),
    "labels": (
        GOOD.replace("[drivers]", "[drivers]\nlabels = maas", 1),
        "[drivers] labels in FILE: there is no driver 'maas'; use one of: none, kubernetes, promenade",
    ),
    "labels of promenade": (
        GOOD.replace("[drivers]", "[drivers]\nlabels = promenade", 1),
        "[promenade] url: is not set",
    ),
    "promenade": (GOOD + "[promenade]\nurl = http://p/\n", "[promenade] url in FILE: is set, but [keystone_authtoken]"),
}


@pytest.mark.parametrize("case", OF_BOTH | OF_API)
def test_the_api_is_refused(tmp_path: Path, case: str) -> None:
    text, sentence = (OF_BOTH | OF_API)[case]
    assert refusal("api", tmp_path, text).startswith(f"drydock-api: {sentence}")


@pytest.mark.parametrize("case", OF_BOTH | OF_WORKER)
def test_the_worker_is_refused(tmp_path: Path, case: str) -> None:
    text, sentence = (OF_BOTH | OF_WORKER)[case]
    assert refusal("worker", tmp_path, text).startswith(f"drydock-worker: {sentence}")


@pytest.mark.parametrize("case", ["dollar", "no secret", "no keystone"])
def test_plain_gunicorn_is_refused(tmp_path: Path, case: str) -> None:
    text, sentence = (OF_BOTH | OF_API)[case]
    assert refusal("gunicorn", tmp_path, text).startswith(f"drydock-api: {sentence}")


def test_a_variable_is_named_as_such(tmp_path: Path) -> None:
    said = refusal("api", tmp_path, GOOD, OS_API__PORT=PASSWORD)
    assert said.startswith("drydock-api: OS_API__PORT in the environment: must be a whole number")


def test_upstreams_file_is_told_what_its_options_are_called_here(tmp_path: Path) -> None:
    file = tmp_path / "drydock.conf"
    groups = dict.fromkeys(group for group, _ in INSTEAD)
    file.write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {PASSWORD}\n" for place, name in INSTEAD if place == group)
            for group in groups
        )
    )
    done = ended("api", file)
    assert done.returncode == 1
    here = f"[database] database_connect_string in {file}: there is no such option; here it is [database] url"
    assert here in done.stderr
    assert len(done.stderr.splitlines()) == len(INSTEAD) + 1
    assert PASSWORD not in done.stderr


def test_a_name_nothing_reads_is_said_and_the_service_starts(api_database: str, tmp_path: Path, free_port: int) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text(GOOD + NOAUTH + f"port = {free_port}\nprot = 9\n[databse]\nurl = x\n")
    log = tmp_path / "api.log"
    env = {**processes.neutral_environment(), "DRYDOCK_DATABASE_URL": api_database, "PYTHONPATH": str(ROOT)}
    child = processes.start(
        "api", [sys.executable, *COMMANDS["api"], "--config-file", file], log=log, environment=env, directory=tmp_path
    )
    try:
        child.wait_ready(processes.http_ready(f"http://127.0.0.1:{free_port}/versions"))
    finally:
        child.stop()
    said = log.read_text()
    assert f"[api] prot in {file}: there is no such option; did you mean port?" in said
    assert f"[databse] in {file}: there is no such group; did you mean [database]?" in said
    assert "NO MACHINE WILL BE INSTALLED" in said
