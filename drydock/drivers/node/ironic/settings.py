"""The options of the driver, checked, and the arguments of openstacksdk's connection made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from types import MappingProxyType
from typing import Any, Self

from drydock.errors import ConfigurationError
from drydock.keyed_digests import KeyedDigests

#: By ``auth_type``: the options that it needs, and those that it may have besides.
AUTHENTICATION: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "none": (("endpoint_override",), ()),
        "http_basic": (("endpoint_override", "username", "password"), ()),
        "password": (
            ("auth_url", "username", "password"),
            ("user_domain_name", "project_name", "project_domain_name", "system_scope"),
        ),
        "v3applicationcredential": (("auth_url", "application_credential_id", "application_credential_secret"), ()),
    }
)
SECRETS = ("password", "application_credential_secret")
STANDALONE = ("none", "http_basic")


@dataclass(frozen=True, slots=True, kw_only=True)
class IronicSettings:
    """``account``: the options of the authentication. ``hardware_types``: Ironic's, by the design's BMC type.

    ``interfaces`` and ``driver_info``: given to each node that is enrolled. ``digests``: of access to BMCs; without the
    option ``digest_key`` no other process makes the same, and each sends the access once.
    """

    auth_type: str
    account: Mapping[str, str] = field(repr=False)
    endpoint: str | None
    region: str | None
    valid_interfaces: tuple[str, ...]
    verify: bool | str
    certificate: tuple[str, str | None] | None
    timeout: float
    images_file: str | None
    glance: bool
    hardware_types: Mapping[str, str]
    redfish_endpoint: str
    interfaces: Mapping[str, str]
    driver_info: Mapping[str, str] = field(repr=False)
    inspect: bool
    automated_clean: bool | None
    digests: KeyedDigests = field(repr=False)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Raises ``ConfigurationError``."""
        auth_type = options.get("auth_type") or "none"
        if auth_type not in AUTHENTICATION:
            raise ConfigurationError(f"ironic: auth_type must be one of {', '.join(AUTHENTICATION)}")
        needed, more = AUTHENTICATION[auth_type]
        lacking = [name for name in needed if not options.get(name)]
        if lacking:
            raise ConfigurationError(f"ironic: auth_type {auth_type} needs the option {lacking[0]}")
        glance = bool(options.get("glance"))
        if glance and auth_type in STANDALONE:
            raise ConfigurationError(f"ironic: the option glance needs Keystone, and auth_type is {auth_type}")
        certificate, key = options.get("certfile"), options.get("keyfile")
        return cls(
            auth_type=auth_type,
            account={name: options[name] for name in (*needed, *more) if options.get(name)},
            endpoint=options.get("endpoint_override"),
            region=options.get("region_name"),
            valid_interfaces=tuple(options.get("valid_interfaces") or ("internal", "public")),
            verify=False if options.get("insecure") else (options.get("cafile") or True),
            certificate=(certificate, key) if certificate else None,
            timeout=float(options.get("timeout") or 90.0),
            images_file=options.get("images_file"),
            glance=glance,
            hardware_types=options.get("hardware_types") or {"redfish": "redfish", "ipmi": "ipmi"},
            redfish_endpoint=options.get("redfish_endpoint") or "https://{address}",
            interfaces=options.get("interfaces") or {},
            driver_info=options.get("driver_info") or {},
            inspect=options.get("inspect") is not False,
            automated_clean=options.get("automated_clean"),
            digests=KeyedDigests(options.get("digest_key") or token_bytes(32), b"drydock-ironic"),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(self.account[name] for name in SECRETS if name in self.account)

    def connection(self) -> dict[str, Any]:
        """Arguments of ``openstack.connect``."""
        account = dict(self.account)
        endpoint = account.pop("endpoint_override", self.endpoint)
        if self.auth_type in STANDALONE:
            account["endpoint"] = str(endpoint)
        return {
            "auth_type": self.auth_type,
            "auth": account,
            "api_timeout": self.timeout,
            "verify": self.verify is not False,
            **({"cacert": self.verify} if isinstance(self.verify, str) else {}),
            **({"cert": self.certificate[0], "key": self.certificate[1]} if self.certificate else {}),
            **({"region_name": self.region} if self.region else {}),
            **({"baremetal_endpoint_override": endpoint} if endpoint else {}),
            "baremetal_interface": list(self.valid_interfaces),
            "image_interface": list(self.valid_interfaces),
        }
