"""Package lists: parsed from inline or fetched data, and merged for a node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from drydock.bootaction.rendered import RenderedAsset
from drydock.design.yaml_stream import read_stream
from drydock.model.boot_asset import AssetType


def parse_packages(content: bytes) -> Mapping[str, str | None]:
    """A YAML or JSON mapping of package to version (null or empty: any).

    Raises ``ValueError``, which quotes nothing: readers of a task may not have access to the server that sent the
    list.
    """
    stream = read_stream(content)
    problems = [*(problem for document in stream.documents for problem in document.problems), *stream.faults]
    faults = [problem for problem in problems if problem.error]
    if faults:
        raise ValueError(f"not a package list: line {faults[0].line} cannot be read as YAML")
    if len(stream.documents) != 1 or not isinstance(stream.documents[0].value, Mapping):
        raise ValueError("not a package list: it must be one mapping of package to version")
    packages: dict[str, str | None] = {}
    for package, version in stream.documents[0].value.items():
        if not isinstance(package, str) or not (version is None or isinstance(version, str)):
            raise ValueError("not a package list: each package must be a string, and its version a string or null")
        packages[package] = version or None
    return packages


def dump_packages(packages: Mapping[str, str | None]) -> bytes:
    return json.dumps(dict(packages)).encode()


def merge_packages(assets: Iterable[RenderedAsset]) -> Mapping[str, str | None]:
    """All package lists among a node's rendered assets, package to version or None; later lists win."""
    merged: dict[str, str | None] = {}
    for asset in assets:
        if asset.type is AssetType.PKG_LIST:
            merged.update(json.loads(asset.content))
    return merged


def package_conflicts(assets: Iterable[RenderedAsset]) -> tuple[str, ...]:
    """A line for each package with different versions in two boot actions, naming both."""
    wanted: dict[str, tuple[str, str | None]] = {}
    lines: list[str] = []
    for asset in assets:
        if asset.type is not AssetType.PKG_LIST:
            continue
        for package, version in json.loads(asset.content).items():
            action, before = wanted.get(package, (asset.action, version))
            if before != version:
                lines.append(
                    f"package {package}: boot action {action} wants {_shown(before)}, boot action {asset.action} "
                    f"{_shown(version)}; the latter is used"
                )
            wanted[package] = (asset.action, version)
    return tuple(lines)


def _shown(version: str | None) -> str:
    return "any version" if version is None else f"version {version}"
