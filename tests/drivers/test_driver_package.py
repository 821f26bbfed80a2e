"""A driver of another package: its options reach it, are checked, and are shown. Each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drivers.driver_package import ENTRY_POINTS, OPTIONS, install

GIVEN = """
[drivers]
node = acme
oob = acme
[acme]
speed = 7
password = open-sesame
"""
LOAD = """
import sys
from drydock import conf
from drydock.conf.driver_options import driver_options
from drydock.drivers.registry import load_node_provisioner, load_oob_drivers
from drydock.errors import ConfigurationError

try:
    options = conf.load(["--config-file", sys.argv[1]])
    driver = load_node_provisioner("acme", driver_options(options, "acme"))
    oob = load_oob_drivers(["acme"], lambda name: driver_options(options, name))
except ConfigurationError as exc:
    sys.exit(str(exc))
print(sorted(driver.options.items()))
print(oob["acme"].options == driver.options)
"""


def python(code: str, *arguments: str, packages: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(packages), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "drydock.conf"
    file.write_text(GIVEN)
    return file


CHECKOUT = Path(__file__).parents[2]


def test_it_runs_the_contract_suite_from_outside(tmp_path: Path) -> None:
    """With the checkout on the path, and none of its conftest files."""
    install(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.contract_matrix", "-p", "no:cacheprovider", "test_acme.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{CHECKOUT}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    cases = dict(line.rsplit(" | ", 1) for line in done.stdout.splitlines() if line.count(" | ") == 1)
    found = {case.strip(): mark.strip() for case, mark in cases.items()}
    for case in ("powers on and off", "tells what it knows of the machine", "meets[wrong password]", "meets[silent]"):
        assert found[case] == "ok"
    assert set(found.values()) == {"acme", "ok", "-"}


def test_its_options_reach_it(tmp_path: Path, config: Path) -> None:
    done = python(LOAD, str(config), packages=install(tmp_path))
    assert done.returncode == 0, done.stderr
    values = "[('endpoint', 'http://127.0.0.1:1'), ('password', 'open-sesame'), ('speed', 7), ('timeout', 10.0)]"
    assert done.stdout.splitlines() == [values, "True"]


def test_the_environment_overrides_its_options(tmp_path: Path, config: Path) -> None:
    done = python(LOAD, str(config), packages=install(tmp_path), OS_ACME__SPEED="9")
    assert "('speed', 9)" in done.stdout


def test_a_bad_value_stops_the_start(tmp_path: Path, config: Path) -> None:
    done = python(LOAD, str(config), packages=install(tmp_path), OS_ACME__SPEED="99")
    assert done.returncode == 1
    assert "OS_ACME__SPEED in the environment: must be a whole number from 1 to 9" in done.stderr


def test_it_refuses_what_it_cannot_work_with(tmp_path: Path, config: Path) -> None:
    config.write_text("[acme]\nspeed = 2\n")
    done = python(LOAD, str(config), packages=install(tmp_path))
    assert done.stderr.strip() == "[acme] password: is not set"


def test_an_option_that_it_does_not_have_is_named(tmp_path: Path, config: Path) -> None:
    config.write_text(GIVEN + "sped = 3\n")
    code = """
import sys
from drydock import conf
from drydock.start import Checks
print(*Checks(conf.load(["--config-file", sys.argv[1]])).unread(), sep="\\n")
"""
    done = python(code, str(config), packages=install(tmp_path))
    assert done.stdout.strip() == f"[acme] sped in {config}: there is no such option; did you mean speed?"


def test_the_sample_has_its_options(tmp_path: Path) -> None:
    code = "import sys; from oslo_config.generator import main; main(sys.argv[1:])"
    done = python(code, "--namespace", "drydock", packages=install(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "[acme]" in done.stdout.splitlines()
    assert "# How fast Acme is. (integer value)" in done.stdout


def test_a_worker_is_built_of_it(tmp_path: Path, config: Path) -> None:
    code = """
import sys
from drydock import conf
from drydock.bootstrap.worker import build_worker
build_worker(conf.load(["--config-file", sys.argv[1]]))
from acme_drydock.driver import MADE
print([driver.options["speed"] for driver in MADE])
"""
    secret = f"[bootaction]\nsecrets = {'ab' * 32}\n[database]\nurl = postgresql+psycopg2://nobody@127.0.0.1:1/none\n"
    config.write_text(GIVEN + secret)
    done = python(code, str(config), packages=install(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[7, 7]"


@pytest.mark.parametrize(
    ("options", "entry_points", "message"),
    [
        (OPTIONS, ENTRY_POINTS.replace(":ACME_OPTS", ":NO_OPTS"), "the options of 'acme' cannot be loaded"),
        ("ACME_OPTS = ['speed']", ENTRY_POINTS, ":ACME_OPTS is not a sequence of oslo.config options"),
        (OPTIONS, ENTRY_POINTS + "    api = acme_drydock.options:ACME_OPTS\n", "two groups of options [api]"),
    ],
)
def test_options_that_cannot_be_had_stop_the_start(
    tmp_path: Path, config: Path, options: str, entry_points: str, message: str
) -> None:
    done = python(LOAD, str(config), packages=install(tmp_path, options=options, entry_points=entry_points))
    assert done.returncode == 1
    assert message in done.stderr


def test_a_driver_without_options_needs_none(tmp_path: Path, config: Path) -> None:
    config.write_text("[drivers]\nnode = acme\n")
    code = LOAD.replace('driver_options(options, "acme")', '{"password": "x", **driver_options(options, "acme")}')
    code = code.replace("lambda name: driver_options(options, name)", 'lambda name: {"password": "x"}')
    without = ENTRY_POINTS.partition("    [drydock.driver_options]")[0]
    done = python(code, str(config), packages=install(tmp_path, entry_points=without))
    assert done.stdout.splitlines() == ["[('password', 'x')]", "True"], done.stderr
