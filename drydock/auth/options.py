"""Registers and checks the options of keystonemiddleware and of its authentication plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from keystoneauth1 import loading
from keystoneauth1.exceptions import NoMatchingPlugin, OptionError
from keystonemiddleware import auth_token
from oslo_cache import _opts as cache_opts
from oslo_config import cfg

from drydock.conf.types import HttpUrl, Refused, refuse_bad_certificates
from drydock.errors import ConfigurationError

GROUP = "keystone_authtoken"
#: Seconds to wait for Keystone, unless configured; the middleware's default is no limit.
CONNECT_TIMEOUT = 5
#: This service's type in the catalog and in access rules of application credentials.
SERVICE_TYPE = "physicalprovisioner"

#: Required options by plugin: one of each line.
_NEEDED: Mapping[str, Sequence[Sequence[str]]] = {
    "password": (
        ("auth_url",),
        ("username", "user_id"),
        ("password",),
        ("user_domain_name", "user_domain_id", "default_domain_name", "default_domain_id", "user_id"),
        ("project_name", "project_id", "domain_name", "domain_id", "system_scope", "trust_id"),
    ),
    "v3applicationcredential": (
        ("auth_url",),
        ("application_credential_id", "application_credential_name"),
        ("application_credential_secret",),
    ),
}
_NEEDS: Mapping[str, str] = {"v3password": "password"}


def register(conf: cfg.ConfigOpts) -> Mapping[str, Sequence[cfg.Opt]]:
    """Register everything, with our defaults; returns the options by group. Idempotent."""
    known: dict[str, list[cfg.Opt]] = {}
    for group, options in [*auth_token.list_opts(), *cache_opts.list_opts()]:
        conf.register_opts(options, group=group)
        known.setdefault(group, []).extend(options)
    conf.set_default("http_connect_timeout", CONNECT_TIMEOUT, group=GROUP)
    # We repeat a request whose connection broke, but not one that timed out.
    conf.set_default("http_request_max_retries", 0, group=GROUP)
    conf.set_default("service_type", SERVICE_TYPE, group=GROUP)
    # Otherwise any user's token would count as a service token, which bypasses access rules.
    conf.set_default("service_token_roles_required", True, group=GROUP)
    section = plugin_group(conf)
    common = loading.get_auth_common_conf_options()
    conf.register_opts(common, group=section)
    # Without a plugin nothing reads its options; those of the password plugin are not reported as unknown.
    plugin = _plugin_options(conf[section].auth_type or "password")
    conf.register_opts(plugin, group=section)
    known.setdefault(section, []).extend([*common, *plugin])
    return known


def plugin_group(conf: cfg.ConfigOpts) -> str:
    """The group of the plugin's options."""
    return str(conf[GROUP].auth_section or GROUP)


def check(conf: cfg.ConfigOpts, place: Callable[[str, str], str]) -> None:
    """Raises ``ConfigurationError`` for incomplete options. ``place``: names where an option is set.

    Sends nothing. Values have been read, so each is of its type.
    """
    group = plugin_group(conf)
    section = conf[group]
    kind = section.auth_type
    if not kind:
        raise ConfigurationError(f"{place(group, 'auth_type')}: is not set; set it, for example to password")
    try:
        loading.get_plugin_loader(kind)
    except NoMatchingPlugin:
        raise ConfigurationError(
            f"{place(group, 'auth_type')}: there is no such plugin; use password or v3applicationcredential"
        ) from None
    for names in _NEEDED.get(_NEEDS.get(kind, kind), ()):
        if not any(section.get(name) for name in names):
            needed = " or ".join(dict.fromkeys(names))
            raise ConfigurationError(f"{place(group, names[0])}: is not set; auth_type {kind} needs {needed}")
    _well(place(group, "auth_url"), section.get("auth_url"), HttpUrl())
    _well(place(GROUP, "www_authenticate_uri"), conf[GROUP].www_authenticate_uri, HttpUrl())
    _well(place(GROUP, "cafile"), conf[GROUP].cafile, refuse_bad_certificates)
    for name in ("certfile", "keyfile"):
        _well(place(GROUP, name), conf[GROUP].get(name), _readable)
    try:
        loading.load_auth_from_conf_options(conf, GROUP)
    except OptionError as exc:
        # The message names options; it holds no values.
        raise ConfigurationError(f"{place(group, 'auth_type')}: {exc}") from None


def _well(where: str, value: object, check_value: Callable[[str], object]) -> None:
    if not value:
        return
    try:
        check_value(str(value))
    except Refused as exc:
        raise ConfigurationError(f"{where}: {exc}") from None


def _readable(path: str) -> None:
    try:
        with open(path, "rb"):
            return
    except OSError as exc:
        raise Refused(f"the file cannot be read: {exc.strerror}") from None


def _plugin_options(kind: str) -> Sequence[cfg.Opt]:
    try:
        options: Sequence[cfg.Opt] = loading.get_auth_plugin_conf_options(kind)
    except NoMatchingPlugin:
        return ()
    return options
