"""A keystoneauth session out of what an operator has: OS_* variables, or an address and a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1 import loading
from keystoneauth1.noauth import NoAuth
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from drydock.client.errors import NotConfigured

WHAT_TO_SET = (
    "nobody said where Drydock is: source an openrc file (OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, ...), "
    "or give --url (DRYDOCK_URL) and --os-token (OS_TOKEN)"
)
#: Variables that a type of authentication cannot do without; any one of each group.
NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {"password": (("OS_USERNAME", "OS_USER_ID"), ("OS_PASSWORD",))}


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Where Drydock is and who asks. No repr: it would show the token.

    With a ``token`` it needs ``url``; else the OS_* variables of ``environ`` name Keystone and the user; else, with
    ``url`` alone, requests go without authentication. ``ca_certificate`` is a file; ``verify`` false trusts anyone.
    """

    environ: Mapping[str, str]
    url: str | None = None
    token: str | None = None
    ca_certificate: str | None = None
    verify: bool = True

    def session(self) -> Session:
        """A session for these credentials; talks to nobody yet. Raises NotConfigured."""
        verify = (self.ca_certificate or True) if self.verify else False
        return Session(auth=self._plugin(), verify=verify, app_name="drydock")

    def _plugin(self) -> BaseAuthPlugin:
        if self.token:
            if not self.url:
                raise NotConfigured("a token needs an address to go with it: --url (DRYDOCK_URL)")
            return Token(self.url, self.token)
        if self.environ.get("OS_AUTH_URL"):
            return load_plugin(self.environ)
        if self.url:
            return NoAuth(endpoint=self.url)
        raise NotConfigured(WHAT_TO_SET)


def load_plugin(environ: Mapping[str, str]) -> BaseAuthPlugin:
    """The plugin that OS_AUTH_TYPE names (default: password), its options from OS_*. Raises NotConfigured."""
    name = environ.get("OS_AUTH_TYPE") or "password"
    # NOTE: the plugin itself would notice the lack only when it asks for a token, with an error of no class.
    missing = [either[0] for either in NEEDED.get(name, ()) if not any(map(environ.get, either))]
    if missing:
        raise NotConfigured(f"OS_AUTH_URL alone is not enough: set {', '.join(missing)} too")
    try:
        loader: loading.BaseLoader[BaseAuthPlugin] = loading.get_plugin_loader(name)
        options = {
            option.dest: next(filter(None, map(environ.get, option.argparse_envvars)), option.default)
            for option in loader.get_options()
        }
        plugin = loader.load_from_options(**options)
    except keystone_errors.ClientException as exc:
        raise NotConfigured(f"OS_AUTH_TYPE {name}: {exc}") from exc
    return plugin
