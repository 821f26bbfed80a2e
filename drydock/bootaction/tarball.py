"""Packs rendered assets into a gzipped GNU tar; the same assets give the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable

from drydock.bootaction.rendered import RenderedAsset
from drydock.errors import InvalidInput, RenderError
from drydock.model.boot_asset import AssetType, normal_path

_LEVEL = 6
_STRIDE = 512
#: Of gzip: its header without optional fields, the flag of an extra field, our field's name, and what a field has
#: before its data: the length of all, its name and its length.
_HEADER, _HAS_EXTRA, _FIELD, _EXTRA_HEAD = 10, 0x04, b"dd", 6


def pack(assets: Iterable[RenderedAsset]) -> bytes:
    """The tarball a machine unpacks at its root: leading slashes kept, owned by root, no times.

    Package lists and assets without a path are left out. Of several assets with one path the last is used, at its own
    position. No assets make a valid empty tarball. Raises ``RenderError`` for a path that must not be used.
    """
    members: dict[str, RenderedAsset] = {}
    for asset in assets:
        if asset.type is not AssetType.PKG_LIST and asset.path is not None:
            path = _path(asset, asset.path)
            members.pop(path, None)
            members[path] = asset
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8") as archive:
        for path, asset in members.items():
            archive.addfile(_member(path, asset), io.BytesIO(asset.content))
    return _padded(gzip.compress(raw.getbuffer(), compresslevel=_LEVEL, mtime=0))


def _padded(compressed: bytes) -> bytes:
    """The same with an extra field in its header (RFC 1952) that makes its length a multiple of ``_STRIDE``.

    The length is stored, and an exact compressed length would leak information about secrets in it.
    """
    room = -(len(compressed) + _EXTRA_HEAD) % _STRIDE
    field = _FIELD + room.to_bytes(2, "little") + bytes(room)
    header = compressed[:3] + bytes([compressed[3] | _HAS_EXTRA]) + compressed[4:_HEADER]
    return header + len(field).to_bytes(2, "little") + field + compressed[_HEADER:]


def _member(path: str, asset: RenderedAsset) -> tarfile.TarInfo:
    """``TarInfo`` defaults to uid, gid and mtime 0 and no owner names, as required."""
    member = tarfile.TarInfo(path)
    member.size = len(asset.content)
    member.mode = asset.mode
    return member


def _path(asset: RenderedAsset, path: str) -> str:
    try:
        return normal_path(path)
    except InvalidInput as exc:
        raise RenderError(f"boot action {asset.action}: asset {path!r:.200}: {exc.message}") from exc
