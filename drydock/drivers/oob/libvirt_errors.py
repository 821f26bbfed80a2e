"""libvirt's errors as ours. By code where there is one; what happens below (TLS, SSH, sockets) has words only."""

from __future__ import annotations

import libvirt

from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable

LONGEST_DETAIL = 200

REFUSED = frozenset(
    {
        libvirt.VIR_ERR_NO_SUPPORT,
        libvirt.VIR_ERR_INVALID_ARG,
        libvirt.VIR_ERR_XML_ERROR,
        libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
        libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
        libvirt.VIR_ERR_OPERATION_DENIED,
        libvirt.VIR_ERR_ACCESS_DENIED,
    }
)
CREDENTIALS = frozenset({libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_CANCELLED, libvirt.VIR_ERR_AUTH_UNAVAILABLE})
BUSY = frozenset({libvirt.VIR_ERR_OPERATION_TIMEOUT, libvirt.VIR_ERR_OPERATION_INVALID})
"""Another job holds the domain; the domain is not in the state for it."""

#: In an error without a code of its own.
WORDS: tuple[tuple[str, str], ...] = (
    # libvirt gives its caller no more than that.
    (
        "verify peer's certificate",
        "the hypervisor's TLS certificate is not accepted: it is signed by an authority that is not known here "
        "(cacert.pem of the URI's pkipath, or /etc/pki/CA), is not for the address or name of the URI, or has expired",
    ),
    ("cannot read ca certificate", "there is no CA certificate for TLS here (pkipath of the URI, or /etc/pki/CA)"),
    # It quotes the URI, which may hold a password.
    ("unable to parse uri", "the URI cannot be parsed"),
    (
        "permission denied",
        "the hypervisor does not accept the worker's SSH key: put the one of the URI's keyfile, or of the worker's "
        "account, into authorized_keys of the URI's user",
    ),
    # What follows it in ssh's words is the next one.
    (
        "host identification has changed",
        "the hypervisor's host shows another SSH key than the one that is known here; see that it is the same host, "
        "then put its new key into the worker's known_hosts",
    ),
    # Where libvirt is given more than 1,024 bytes by ssh, its error is this and quotes nothing of them.
    (
        "value too large for defined data type",
        "the output of ssh is longer than libvirt can read, as it is where the host's SSH key is another than the one "
        "that is known here; call ssh to the hypervisor as the worker's account, and read its output",
    ),
    (
        "host key verification failed",
        "the SSH key of the hypervisor's host is not known here; compare its fingerprint at the host, then put it into "
        "the worker's known_hosts",
    ),
)


def known(error: libvirt.libvirtError) -> DriverError:
    code, words = error.get_error_code(), str(error)
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return DriverRefused("the hypervisor has no such domain")
    for part, reason in WORDS:
        if part in words.lower():
            return DriverRefused(reason)
    if code in CREDENTIALS:
        return DriverRefused("the hypervisor does not accept the account's credentials")
    detail = words[:LONGEST_DETAIL]
    if code in BUSY:
        return DriverBusy(f"the hypervisor cannot do it now: {detail}")
    if code in REFUSED:
        return DriverRefused(f"the hypervisor cannot do it: {detail}")
    return DriverUnavailable(f"the hypervisor cannot be reached, or failed: {detail}")


def is_lost(error: libvirt.libvirtError) -> bool:
    """Whether the connection is of no use after it."""
    return error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE)
