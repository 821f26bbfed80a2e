"""A real Keystone server on loopback, for development and tests.

    with keystone.start(directory) as server:
        token = server.token("reader")

The first start on a machine takes 40 s (``keystone_venv``, ``keystone_state``), later ones two.
"""

from __future__ import annotations

import platform
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from keystoneauth1 import adapter, session
from keystoneauth1.identity import v3
from keystoneauth1.identity.base import BaseIdentityPlugin

from dev import keystone_state, keystone_venv, processes
from dev.locks import file_lock
from dev.ports import LOOPBACK, free_port
from dev.progress import Doing, quiet

SERVICE_TYPE = "physicalprovisioner"
DOMAIN = "Default"
REGION = "RegionOne"
TOKEN_SECONDS = 3600
WSGI = Path(__file__).with_name("wsgi")


class KeystoneServer:
    """A Keystone with the users ``admin``, ``member``, ``reader`` and the service user ``drydock``."""

    def __init__(self, state: Path, home: Path) -> None:
        self.port = free_port()
        self.auth_url = f"http://{LOOPBACK}:{self.port}/v3"
        self.users = keystone_state.read_users(state)
        self._state = state
        self._home = home
        self._child: processes.Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, or start it again at the same address."""
        options = ["--bind", f"{LOOPBACK}:{self.port}", "--threads", "4", "--no-control-socket"]
        configuration = str(self._state / keystone_state.CONFIGURATION)
        self._child = processes.start(
            "Keystone",
            [self._home / "bin/python", "-m", "gunicorn", *options, "--pythonpath", WSGI, "keystone_api:application"],
            log=self._state / "keystone.log",
            directory=self._state,
            environment={**processes.neutral_environment(), "OS_KEYSTONE_CONFIG_FILES": configuration},
        )
        self._child.wait_ready(processes.http_ready(self.auth_url), seconds=60)

    def stop(self) -> None:
        """Stop it; its address refuses connections from now on."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def token(self, user: str) -> str:
        """A new token of ``user``, scoped to its project."""
        with self._session(self._password(user)) as rest:
            return str(rest.get_token())

    def expired_token(self, user: str) -> str:
        """A token that was valid once. Takes two seconds: its life ends with that of an application credential."""
        ends = datetime.now(UTC) + timedelta(seconds=2)
        token = self._credential_token(user, {"expires_at": ends.replace(tzinfo=None).isoformat()})
        while self.accepts(token):
            time.sleep(0.1)
        return token

    def restricted_token(self, user: str, access_rules: Sequence[Mapping[str, str]]) -> str:
        """A token of an application credential of ``user`` that may be used for what the rules name."""
        return self._credential_token(user, {"access_rules": list(access_rules)})

    def _credential_token(self, user: str, more: Mapping[str, Any]) -> str:
        with self._session(self._password(user)) as rest:
            body = {"name": secrets.token_hex(8), **more}
            path = f"/users/{rest.get_user_id()}/application_credentials"
            made = rest.post(path, json={"application_credential": body}).json()["application_credential"]
        credential = v3.ApplicationCredential(
            self.auth_url, application_credential_id=made["id"], application_credential_secret=made["secret"]
        )
        with self._session(credential) as rest:
            return str(rest.get_token())

    def revoke(self, token: str) -> None:
        with self._session(self._password("admin")) as rest:
            rest.delete("/auth/tokens", headers={"X-Subject-Token": token})

    def accepts(self, token: str) -> bool:
        """Whether Keystone itself takes ``token`` for valid now."""
        with self._session(self._password("admin")) as rest:
            answer = rest.get("/auth/tokens", headers={"X-Subject-Token": token}, raise_exc=False)
        return bool(answer.status_code == 200)

    def middleware_options(self) -> Mapping[str, str]:
        """What the section ``[keystone_authtoken]`` of a service needs that checks tokens here."""
        service = self.users["drydock"]
        return {
            "www_authenticate_uri": self.auth_url,
            "auth_url": self.auth_url,
            "auth_type": "password",
            "username": service.name,
            "password": service.password,
            "project_name": service.project,
            "user_domain_name": DOMAIN,
            "project_domain_name": DOMAIN,
        }

    def environment(self, user: str) -> Mapping[str, str]:
        """The ``OS_*`` variables with which OpenStack's clients become ``user``."""
        known = self.users[user]
        return {
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": self.auth_url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": known.name,
            "OS_PASSWORD": known.password,
            "OS_USER_DOMAIN_NAME": DOMAIN,
            "OS_PROJECT_NAME": known.project,
            "OS_PROJECT_DOMAIN_NAME": DOMAIN,
        }

    def publish(self, drydock_url: str) -> None:
        """Make the catalog say where Keystone and Drydock are now (ports differ from start to start)."""
        with self._session(self._password("admin")) as rest:
            # Others may have registered services of their own, also of these types: theirs stay as they are.
            ours = {("identity", "keystone"): self.auth_url, (SERVICE_TYPE, "drydock"): f"{drydock_url}/api/v1.0"}
            urls = {
                service["id"]: ours.get((service["type"], service.get("name")))
                for service in rest.get("/services").json()["services"]
            }
            for endpoint in rest.get("/endpoints").json()["endpoints"]:
                url = urls.get(endpoint["service_id"]) if endpoint["region_id"] == REGION else None
                if url is not None and endpoint["url"] != url:
                    rest.patch(f"/endpoints/{endpoint['id']}", json={"endpoint": {"url": url}})

    def register(self, kind: str, name: str, url: str) -> None:
        """Add a service of this type to the catalogue, at ``url`` for all interfaces."""
        with self._session(self._password("admin")) as rest:
            service = _created(rest, "service", {"type": kind, "name": name})
            for interface in ("public", "internal", "admin"):
                body = {"service_id": service, "interface": interface, "region_id": REGION, "url": url}
                _created(rest, "endpoint", body)

    def create_users(self) -> None:
        """Add to a bootstrapped Keystone our projects, users and service; done once, for the template."""
        with self._session(self._password("admin", keystone_state.ADMIN_PROJECT)) as rest:
            roles = {role["name"]: role["id"] for role in rest.get("/roles").json()["roles"]}
            projects = {
                name: _created(rest, "project", {"name": name, "domain_id": "default"})
                for name in (keystone_state.PROJECT, keystone_state.SERVICE_PROJECT)
            }
            known = {user["name"]: user["id"] for user in rest.get("/users").json()["users"]}
            for user in self.users.values():
                body = {"name": user.name, "password": user.password, "domain_id": "default"}
                user_id = known.get(user.name) or _created(rest, "user", body)
                rest.put(f"/projects/{projects[user.project]}/users/{user_id}/roles/{roles[user.role]}")
            service = _created(rest, "service", {"type": SERVICE_TYPE, "name": "drydock"})
            for interface in ("public", "internal", "admin"):
                body = {"service_id": service, "interface": interface, "region_id": REGION}
                _created(rest, "endpoint", {**body, "url": f"http://{LOOPBACK}:9000/api/v1.0"})

    def _password(self, user: str, project: str | None = None) -> v3.Password:
        known = self.users[user]
        return v3.Password(
            self.auth_url, username=known.name, password=known.password, user_domain_name=DOMAIN,
            project_name=project or known.project, project_domain_name=DOMAIN,
        )  # fmt: skip

    @contextmanager
    def _session(self, identity: BaseIdentityPlugin) -> Iterator[adapter.Adapter]:
        with requests.Session() as http:
            http.trust_env = False  # no proxy on the way to loopback
            yield adapter.Adapter(session.Session(auth=identity, session=http), endpoint_override=self.auth_url)


def _created(rest: adapter.Adapter, kind: str, body: Mapping[str, Any]) -> str:
    return str(rest.post(f"/{kind}s", json={kind: body}).json()[kind]["id"])


def start(
    directory: Path, *, drydock_url: str = f"http://{LOOPBACK}:9000", token_seconds: int = TOKEN_SECONDS,
    cache: Path = keystone_venv.CACHE, doing: Doing = quiet,
) -> KeystoneServer:  # fmt: skip
    """Start a Keystone that keeps its state in ``directory``; new tokens live ``token_seconds``."""
    home = keystone_venv.ensure(cache, doing)
    keystone_state.copy_template(_template(cache, home, doing), directory)
    keystone_state.configure(directory, token_seconds=token_seconds)
    server = KeystoneServer(directory, home)
    try:
        doing("starting")
        server.start()
        server.publish(drydock_url)
    except BaseException:
        server.stop()
        raise
    return server


def _template(cache: Path, home: Path, doing: Doing) -> Path:
    """The bootstrapped state to copy; made when this code or the packages changed."""
    sources = (Path(__file__).read_text(), Path(keystone_state.__file__).read_text())
    python = platform.python_version()
    template = cache / f"keystone-state-{python}-{keystone_venv.fingerprint(*sources)}"
    with file_lock(cache / "keystone-state.lock"):
        if template.exists():
            return template
        for old in cache.glob(f"keystone-state-{python}-*/"):
            shutil.rmtree(old)
        unfinished = cache / f"keystone-state-{python}-unfinished"
        unfinished.mkdir(mode=0o700)
        doing("database and keys")
        keystone_state.bootstrap(unfinished, home)
        doing("users and services")
        with KeystoneServer(unfinished, home) as server:
            server.start()
            server.create_users()
        unfinished.rename(template)
    return template
