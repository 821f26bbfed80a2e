"""What a Keystone server keeps: database, keys, configuration; bootstrapped once and copied ever after."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path

from dev import processes

ADMIN_PROJECT = "admin"
PROJECT = "drydock"
SERVICE_PROJECT = "service"
CONFIGURATION = "keystone.conf"
PASSWORDS = "passwords.json"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the domain ``Default``, with one role in one project (the bootstrapped admin has more)."""

    name: str
    role: str
    project: str = PROJECT
    password: str = field(default="", repr=False)


#: ``drydock`` is the service itself, when it asks Keystone about a token.
USERS = (
    User("admin", "admin"),
    User("member", "member"),
    User("reader", "reader"),
    User("drydock", "service", SERVICE_PROJECT),
)


def configure(state: Path, *, token_seconds: int) -> Path:
    """Write the configuration of the Keystone that lives in ``state``; answers its path."""
    configuration = ConfigParser(interpolation=None)
    configuration.read_dict(
        {
            "database": {"connection": f"sqlite:///{state}/keystone.db"},
            "token": {"provider": "fernet", "expiration": str(token_seconds)},
            "fernet_tokens": {"key_repository": str(state / "fernet-keys")},
            "fernet_receipts": {"key_repository": str(state / "fernet-keys")},
            "credential": {"key_repository": str(state / "credential-keys")},
            "identity": {"password_hash_rounds": "4"},  # as cheap as it gets: 35 tokens a second instead of 4
            # In its one process: ten times faster, and a revoked token is still refused at once.
            "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
        }
    )
    path = state / CONFIGURATION
    with path.open("w") as file:
        configuration.write(file)
    return path


def read_users(state: Path) -> dict[str, User]:
    """The users by name, with their passwords."""
    passwords = json.loads((state / PASSWORDS).read_text())
    return {user.name: User(user.name, user.role, user.project, passwords[user.name]) for user in USERS}


def bootstrap(state: Path, home: Path) -> None:
    """Fill the empty directory ``state`` with a database, keys and the admin user; the other users come by REST."""
    configuration = configure(state, token_seconds=3600)
    passwords = {user.name: secrets.token_urlsafe(18) for user in USERS}
    (state / PASSWORDS).write_text(json.dumps(passwords))
    owner = [f"--keystone-user={os.geteuid()}", f"--keystone-group={os.getegid()}"]
    with ThreadPoolExecutor() as pool:  # each is two seconds of imports
        steps = (["db_sync"], ["fernet_setup", *owner], ["credential_setup", *owner])
        list(pool.map(lambda step: _manage(home, configuration, *step), steps))
    _manage(
        home, configuration, "bootstrap", "--bootstrap-region-id=RegionOne",
        *(f"--bootstrap-{interface}-url=http://127.0.0.1:5000/v3" for interface in ("public", "internal", "admin")),
        OS_BOOTSTRAP_PASSWORD=passwords["admin"],
    )  # fmt: skip


def copy_template(template: Path, state: Path) -> None:
    """Make ``state`` a copy of ``template``, unless it is one already."""
    if (state / PASSWORDS).exists():
        return
    unfinished = state.with_name(state.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(template, unfinished)
    unfinished.rename(state)


def _manage(home: Path, configuration: Path, command: str, *options: str, **environment: str) -> None:
    done = subprocess.run(
        [home / "bin/keystone-manage", "--config-file", configuration, command, *options],
        env={**processes.neutral_environment(), **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"keystone-manage {command} failed:\n{done.stderr[-2000:]}")
