"""Help and completion load nothing that takes long."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from drydock.cli.lazy import LazyGroup
from drydock.cli.main import cli

SLOW = ("requests", "keystoneauth1", "rich", "yaml", "jinja2", "drydock.design", "drydock.bootaction")
RUN = """
import sys
from drydock.cli.main import main
try:
    main()
finally:
    print("LOADED", *sorted(sys.modules), file=sys.stderr)
"""


def loaded(*arguments: str, **environ: str) -> tuple[str, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.partition("LOADED")[2].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("version",),
        ("completion", "zsh"),
        ("design", "--help"),
        ("design", "upload", "--help"),
        ("node", "list", "--help"),
        ("task", "--help"),
        ("task", "create", "--help"),
        ("task", "watch", "--help"),
        ("health", "--help"),
    ],
)
def test_help_loads_nothing_that_takes_long(arguments: tuple[str, ...]) -> None:
    shown, modules = loaded(*arguments)
    assert shown
    assert not modules.intersection(SLOW)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("drydock ", "task"),
        ("drydock design ", "render"),
        ("drydock task create --ex", "--expect"),
    ],
)
def test_a_shell_completes_without_loading_what_takes_long(typed: str, offered: str) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1), "_DRYDOCK_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", RUN.replace("main()", 'main.__globals__["cli"](prog_name="drydock")', 1)],
        env={**os.environ, **words},
        capture_output=True,
        text=True,
        check=False,
    )
    assert offered in done.stdout
    assert not set(done.stderr.partition("LOADED")[2].split()).intersection(SLOW)


def test_what_a_group_says_of_its_commands_is_what_they_say_themselves() -> None:
    groups: list[LazyGroup] = [cli]
    seen = 0
    while groups:
        group = groups.pop()
        ctx = click.Context(group)
        for name, lazy in group.lazy.items():
            command = group.get_command(ctx, name)
            assert command is not None
            assert command.help is not None
            assert " ".join(command.help.split()).startswith(lazy.help), name
            seen += 1
            if isinstance(command, LazyGroup):
                groups.append(command)
    assert seen >= 12
