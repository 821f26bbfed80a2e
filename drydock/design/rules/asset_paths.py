"""DD5010: every file of a boot action has a usable path, and the files of a node do not conflict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from drydock.design.messages import listed
from drydock.design.rules.base import Finding, document
from drydock.model.boot_asset import AssetType, BootActionDesign, BootAsset
from drydock.model.message import DocumentRef, Level
from drydock.model.site import SiteDesign

#: Limits of file systems: names in a path, bytes of each name and of the path.
MAX_DEPTH, MAX_NAME, MAX_PATH = 100, 255, 4095
#: Directories of every system, with the symbolic links that many systems have for them.
_MERGED = ("/bin", "/sbin", "/lib", "/lib64")
_RUN = ("/var/run", "/var/lock")
_DIRECTORIES = frozenset(
    f"/{name}"
    for name in (
        *(
            "bin",
            "boot",
            "dev",
            "etc",
            "home",
            "lib",
            "lib64",
            "mnt",
            "opt",
            "proc",
            "root",
            "run",
            "sbin",
            "srv",
            "sys",
        ),
        *(
            "etc/default",
            "etc/drydock",
            "etc/drydock/actions",
            "etc/ssh",
            "etc/systemd",
            "etc/systemd/system",
            "tmp",
            "usr",
            "usr/bin",
        ),
        *("usr/lib", "usr/local", "usr/local/bin", "usr/local/sbin", "usr/sbin", "usr/share"),
        *("var", "var/lib", "var/log", "var/run", "var/tmp"),
    )
)
#: Files that a machine needs to install its boot actions.
_OURS = ("/etc/drydock/boot.env", "/usr/local/sbin/drydock-boot")
#: Maximum number of comparisons of targets.
_MOST = 5_000_000


class AssetPaths:
    code: ClassVar[str] = "DD5010"
    name: ClassVar[str] = "asset-paths"
    long_name: ClassVar[str] = "Asset Paths"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        users: dict[str, list[BootActionDesign]] = {}
        for action in site.boot_actions:
            documents = (document("BootAction", action.name),)
            own: set[str] = set()
            for index, asset in enumerate(action.assets):
                if asset.type is AssetType.PKG_LIST:
                    continue
                if asset.path is None:
                    text = f"Bootaction {action.name}: assets[{index}] has no path and will not be delivered."
                    yield Finding(Level.WARNING, text, documents)
                    continue
                yield from _alone(action, asset, asset.path, documents)
                path = canonical(asset.path)
                if path in own:
                    text = f"Bootaction {action.name}: {asset.path:.200} occurs twice; the last one wins."
                    yield Finding(Level.WARNING, text, documents)
                else:
                    own.add(path)
                    users.setdefault(path, []).append(action)
        both = _Both()
        for path, actions in users.items():
            yield from _shared(path, actions, both)
            yield from _within(path, actions, users, both)


def canonical(path: str) -> str:
    """The path on a system whose /bin is /usr/bin, and so on."""
    for start in _MERGED:
        if path.startswith(start + "/"):
            return f"/usr{path}"
    return path.removeprefix("/var") if path.startswith(tuple(f"{start}/" for start in _RUN)) else path


def _alone(
    action: BootActionDesign, asset: BootAsset, path: str, documents: tuple[DocumentRef, ...]
) -> Iterator[Finding]:
    where = f"Bootaction {action.name}: {path:.200}"
    names = path.encode("utf-8", "replace").split(b"/")
    if len(names) > MAX_DEPTH or sum(map(len, names)) + len(names) > MAX_PATH or max(map(len, names)) > MAX_NAME:
        yield Finding(Level.ERROR, f"{where} is longer, or deeper, than a file's name can be.", documents)
    elif path in _DIRECTORIES:
        yield Finding(Level.ERROR, f"{where} is a directory on every system: choose another path.", documents)
    elif path in _OURS or any(path.startswith(f"{ours}/") for ours in _OURS):
        yield Finding(Level.ERROR, f"{where} is a file of Drydock on the machine: choose another path.", documents)


@dataclass(slots=True)
class _Both:
    """Nodes that are targets of both boot actions."""

    _known: dict[tuple[int, int], Sequence[str]] = field(default_factory=dict)
    _left: int = _MOST

    def of(self, first: BootActionDesign, second: BootActionDesign) -> Sequence[str]:
        key = (id(first.target_nodes), id(second.target_nodes))
        if key not in self._known:
            few, many = sorted((first.target_nodes, second.target_nodes), key=len)
            self._left -= len(few)
            self._known[key] = [name for name in few if name in many] if self._left > 0 else ()
        return self._known[key]


def _shared(path: str, actions: Sequence[BootActionDesign], both: _Both) -> Iterator[Finding]:
    """Files with the same path in two boot actions of one node. Different nodes may have the same path."""
    for earlier, later in pairwise(actions):
        nodes = both.of(earlier, later)
        if nodes:
            text = (
                f"{path:.200} is written by bootactions {earlier.name} and {later.name} on {listed(nodes)}; "
                "the last one wins."
            )
            yield Finding(Level.WARNING, text, _refs(earlier, later))


def _within(
    path: str, actions: Sequence[BootActionDesign], users: Mapping[str, Sequence[BootActionDesign]], both: _Both
) -> Iterator[Finding]:
    """Files at a path that another file needs as a directory."""
    end = path.rfind("/")
    while end > 0 and path.count("/") <= MAX_DEPTH:
        above = path[:end]
        for blocking in users.get(above, ()):
            for action in actions:
                nodes = both.of(blocking, action)
                if nodes:
                    text = (
                        f"{above:.200} of bootaction {blocking.name} is a file, and {path:.200} of bootaction "
                        f"{action.name} needs a directory there, on {listed(nodes)}."
                    )
                    yield Finding(Level.ERROR, text, _refs(blocking, action))
        end = path.rfind("/", 0, end)


def _refs(*actions: BootActionDesign) -> tuple[DocumentRef, ...]:
    return tuple(document("BootAction", name) for name in dict.fromkeys(action.name for action in actions))
