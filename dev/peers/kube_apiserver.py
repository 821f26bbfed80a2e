"""A real Kubernetes API server with etcd, without kubelets: nodes are objects that tests make.

    with KubeApiserver(directory) as cluster:
        cluster.kubeconfig("drydock")   # an account with no rights; cluster.allow() gives some

Kubernetes 1.20.2 as Debian 12 has it. There is no binary package of the server: it is built with Debian's Go from the
sources of ``kubernetes-client``, once, into .cache, by ``make kube-apiserver``.

That takes 7 minutes of CPU time (18 minutes on two cores at load 10), 1.5 GB of disk meanwhile and 105 MB afterwards;
``make test`` does not do it, and skips the tests without it. The server is ready in 5 to 8 s.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dev import processes
from dev.locks import file_lock
from dev.machine_tools import CACHE, Unavailable
from dev.peers import packages
from dev.peers.certificates import Authority
from dev.peers.peer import Peer
from dev.ports import LOOPBACK, free_port
from dev.progress import Doing, PrintedProgress, quiet

VERSION = "1.20.2"
HOME = "peers-kube-apiserver"
ADMIN = "admin"
TOOLS = ("apt-get", "dpkg-source", "go")
START_SECONDS = 120
REQUEST_SECONDS = 30
MAKE = Path(__file__).with_name("build_kube_apiserver.sh")
MISSING = "there is no kube-apiserver: make kube-apiserver builds it (Debian, with Go, in 5 to 20 minutes)"


def find(cache: Path = CACHE) -> Path:
    """The directory with ``kube-apiserver``, if it was built. Raises ``Unavailable``."""
    if not (cache / HOME / "kube-apiserver").exists():
        raise Unavailable(MISSING)
    return cache / HOME


def ensure(cache: Path = CACHE, doing: Doing = quiet) -> Path:
    """Build it unless it is there; a second process waits. Raises ``Unavailable``."""
    with file_lock(cache / f"{HOME}.lock"):
        if (cache / HOME).exists():
            return cache / HOME
        if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
            raise Unavailable(f"there is no {' and no '.join(missing)}: apt-get install golang-go dpkg-dev")
        with tempfile.TemporaryDirectory(dir=cache) as directory:
            doing(f"building Kubernetes {VERSION}")
            command = ["nice", "-n", "5", "sh", str(MAKE), directory, VERSION]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Unavailable(f"kube-apiserver cannot be built: {done.stderr.strip()[-1500:]}")
            Path(directory, "built").rename(cache / HOME)
    return cache / HOME


class KubeApiserver(Peer):
    """A running API server at ``url``, with RBAC; ``log`` is its log."""

    def __init__(self, directory: Path, cache: Path = CACHE) -> None:
        self._home = find(cache)
        self._etcd = packages.ensure("etcd", ["etcd-server"], cache)
        self._directory = directory
        self._tokens = {ADMIN: secrets.token_urlsafe(24)}
        self._children: list[processes.Child] = []
        self.port, self._etcd_port, self._peer_port = free_port(), free_port(), free_port()
        self.url = f"https://{LOOPBACK}:{self.port}"
        self.log = directory / "kube-apiserver.log"
        self.authority = Authority(directory)

    def token(self, account: str) -> str:
        return self._tokens[account]

    def start(self) -> None:
        for account in ("drydock", "reader", "nobody"):
            self._tokens[account] = secrets.token_urlsafe(24)
        etcd_url = f"http://{LOOPBACK}:{self._etcd_port}"
        self._child("etcd", self._etcd_command(etcd_url), f"{etcd_url}/health")
        self._child("kube-apiserver", self._command(etcd_url), f"{self.url}/readyz")

    def stop(self) -> None:
        while self._children:
            self._children.pop().stop()

    def kubeconfig(
        self, account: str, *, token: str | None = None, server: str | None = None, ca: Path | None = None
    ) -> Path:
        """A file with the credentials of ``account``; ``token``: another one, ``server``: elsewhere."""
        found = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "site",
            "clusters": [
                {
                    "name": "site",
                    "cluster": {
                        "server": server or self.url,
                        "certificate-authority": str(ca or self.authority.certificate),
                    },
                }
            ],
            "users": [{"name": account, "user": {"token": token or self._tokens[account]}}],
            "contexts": [{"name": "site", "context": {"cluster": "site", "user": account}}],
        }
        file = self._directory / f"{account}-{secrets.token_hex(4)}.yaml"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(found))
        return file

    def allow(self, account: str, verbs: Sequence[str]) -> None:
        """Let ``account`` do ``verbs`` to all nodes."""
        rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": list(verbs)}]
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        self.ask("POST", f"{rbac}/clusterroles", {"metadata": {"name": account}, "rules": rules})
        self.ask(
            "POST",
            f"{rbac}/clusterrolebindings",
            {
                "metadata": {"name": account},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": account},
                "subjects": [{"kind": "User", "name": account}],
            },
        )

    def add_node(self, name: str, labels: Mapping[str, str]) -> None:
        """As a kubelet does that joins."""
        self.ask("POST", "/api/v1/nodes?fieldManager=kubelet", {"metadata": {"name": name, "labels": dict(labels)}})

    def labels(self, node: str) -> dict[str, str]:
        found: dict[str, str] = self.ask("GET", f"/api/v1/nodes/{node}")["metadata"].get("labels", {})
        return found

    def ask(
        self, method: str, path: str, body: object = None, *, account: str = ADMIN, media_type: str = "application/json"
    ) -> dict[str, Any]:
        """What the API answers to ``account``, whatever its status."""
        response = requests.request(
            method,
            f"{self.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._tokens[account]}", "Content-Type": media_type},
            verify=str(self.authority.certificate),
            timeout=REQUEST_SECONDS,
        )
        found: dict[str, Any] = response.json()
        return found

    def _child(self, name: str, command: Sequence[str], health: str) -> None:
        log = self._directory / f"{name}.log"
        child = processes.start(name, command, log=log, environment=self._environment())
        self._children.append(child)
        child.wait_ready(lambda: self._is_up(health), seconds=START_SECONDS)

    def _environment(self) -> dict[str, str]:
        return {**processes.neutral_environment(), "LD_LIBRARY_PATH": packages.libraries(self._etcd)}

    def _is_up(self, url: str) -> bool:
        headers = {"Authorization": f"Bearer {self._tokens[ADMIN]}"}
        try:
            return requests.get(url, headers=headers, verify=str(self.authority.certificate), timeout=2).ok
        except requests.RequestException:
            return False

    def _etcd_command(self, url: str) -> list[str]:
        peer = f"http://{LOOPBACK}:{self._peer_port}"
        return [
            str(packages.program(self._etcd, "etcd")),
            "--unsafe-no-fsync",
            f"--data-dir={self._directory / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]

    def _command(self, etcd_url: str) -> list[str]:
        pair = self.authority.issue("kube-apiserver")
        accounts = self._directory / "service-accounts.key"
        _write_private_key(accounts)
        tokens = self._directory / "tokens.csv"
        tokens.touch(mode=0o600)
        groups = {ADMIN: "system:masters"}
        tokens.write_text(
            "".join(f'{token},{name},{name},"{groups.get(name, "")}"\n' for name, token in self._tokens.items())
        )
        return [
            str(self._home / "kube-apiserver"),
            f"--etcd-servers={etcd_url}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={self.port}",
            f"--tls-cert-file={pair.certificate}",
            f"--tls-private-key-file={pair.key}",
            f"--service-account-key-file={accounts}",
            f"--service-account-signing-key-file={accounts}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={tokens}",
            f"--cert-dir={self._directory}",
            "--authorization-mode=RBAC",
            "--anonymous-auth=true",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
        ]


def _write_private_key(file: Path) -> None:
    """In the old form, the only one that this version reads for service accounts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def main() -> int:
    with PrintedProgress().part("kube-apiserver") as part:
        try:
            part.ready(f"in {ensure(doing=part.doing)}")
        except Unavailable as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
