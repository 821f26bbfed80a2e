"""Makes keystoneauth sessions and plugins from credentials."""

from __future__ import annotations

from collections.abc import Mapping

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1 import loading
from keystoneauth1.noauth import NoAuth
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from drydock.client.errors import NotConfigured

WHAT_TO_SET = (
    "Drydock's URL is not set: source an openrc file (OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, ...), "
    "or give --url (DRYDOCK_URL) and --os-token (OS_TOKEN)"
)
#: Seconds to wait for an answer of Keystone. Discovery makes two requests, so a failure takes twice as long.
KEYSTONE_TIMEOUT = 15.0
#: Required variables by type of authentication: one of each group.
NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {"password": (("OS_USERNAME", "OS_USER_ID"), ("OS_PASSWORD",))}


def make_session(environ: Mapping[str, str], *, url: str | None, token: str | None, verify: bool | str) -> Session:
    """Raises NotConfigured."""
    plugin = _plugin(environ, url, token)
    return Session(auth=plugin, verify=verify, timeout=KEYSTONE_TIMEOUT, app_name="drydock")


def _plugin(environ: Mapping[str, str], url: str | None, token: str | None) -> BaseAuthPlugin:
    if token:
        if not url:
            raise NotConfigured("a token needs Drydock's URL too: set --url (DRYDOCK_URL)")
        return Token(url, token)
    if environ.get("OS_AUTH_URL"):
        return load_plugin(environ)
    if url:
        return NoAuth(endpoint=url)
    raise NotConfigured(WHAT_TO_SET)


def load_plugin(environ: Mapping[str, str]) -> BaseAuthPlugin:
    """The plugin that OS_AUTH_TYPE names (default: password), its options from OS_*. Raises NotConfigured."""
    name = environ.get("OS_AUTH_TYPE") or "password"
    # NOTE: the plugin itself would report the lack only when it requests a token, with an error of no class.
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
