"""Requests to a Kubernetes API server through the official client: nodes, and what we may do with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import urllib3
from kubernetes import client, config
from urllib3 import exceptions

from drydock.errors import ConfigurationError, DriverError, DriverRefused, DriverUnavailable

APPLY = "application/apply-patch+yaml"
CONNECTIONS = 32
#: Parts of the client without types.
_config: Any = config


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is empty if the answer is no JSON object."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


def load_configuration(kubeconfig: str | None, context: str | None) -> client.Configuration:
    """Of a file, or of the pod's service account. Raises ``ConfigurationError``, which quotes nothing of the file."""
    found = client.Configuration()
    try:
        if kubeconfig:
            _config.load_kube_config(kubeconfig, context=context, client_configuration=found, persist_config=False)
        else:
            _config.load_incluster_config(found)
    # Programs that bring credentials, YAML and base64 raise what they like; a text of theirs may hold a token.
    except Exception as exc:  # noqa: BLE001
        wanted = (
            "[kubernetes] kubeconfig: cannot be used"
            if kubeconfig
            else "[kubernetes] kubeconfig: is not set, and the worker has no service account of a pod"
        )
        raise ConfigurationError(f"{wanted}: {type(exc).__name__}") from None
    return found


class KubernetesConnector:
    """Shared by all threads. Every request is sent once, follows no redirect, and has a timeout."""

    def __init__(self, configuration: client.Configuration, *, timeout: float) -> None:
        configuration.retries = urllib3.Retry(False)
        configuration.connection_pool_maxsize = CONNECTIONS
        api = client.ApiClient(configuration)
        self._core = client.CoreV1Api(api)
        self._authorization = client.AuthorizationV1Api(api)
        self._close: Callable[[], None] = cast(Any, api).close
        self._how: dict[str, Any] = {"_preload_content": False, "_request_timeout": timeout}

    def close(self) -> None:
        self._close()

    def read(self, node: str) -> Answer:
        return self._ask(lambda: self._core.read_node(node, **self._how))

    def apply(self, node: str, wanted: Mapping[str, Any], *, field_manager: str, force: bool) -> Answer:
        """Server-side apply: ``wanted`` is the whole of what ``field_manager`` wants of the node."""
        how: dict[str, Any] = {**self._how, "_content_type": APPLY, "field_manager": field_manager, "force": force}
        return self._ask(lambda: self._core.patch_node(node, dict(wanted), **how))

    def review(self, verb: str) -> Answer:
        """Ask whether we may do ``verb`` to every node."""
        asked = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(
                resource_attributes=client.V1ResourceAttributes(verb=verb, group="", resource="nodes")
            )
        )
        return self._ask(lambda: self._authorization.create_self_subject_access_review(asked, **self._how))

    def _ask(self, request: Callable[[], Any]) -> Answer:
        """Any status is an answer. Raises ``DriverError`` without one."""
        try:
            response = request()
            data = response.read()
        except client.ApiException as exc:
            if exc.status == 0:
                raise _of_tls(str(exc.reason)) from None
            return Answer(exc.status, _parsed(exc.body), cast(Any, exc).headers or {})
        except exceptions.NewConnectionError:
            raise DriverUnavailable("the API server cannot be reached") from None
        except exceptions.TimeoutError:
            raise DriverUnavailable("the API server did not answer in time") from None
        except exceptions.HTTPError as exc:
            raise DriverUnavailable(f"the API server cannot be reached: {type(exc).__name__}") from None
        return Answer(response.status, _parsed(data), response.headers)


def _of_tls(reason: str) -> DriverError:
    """The client says so of all errors of TLS."""
    if "CERTIFICATE_VERIFY_FAILED" in reason or "CertificateError" in reason:
        what = reason.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "it is not valid"
        return DriverRefused(f"the API server's TLS certificate is not accepted: {what[:200]}")
    return DriverUnavailable("the API server does not speak TLS as it should")


def _parsed(data: str | bytes | None) -> Mapping[str, Any]:
    try:
        found = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
