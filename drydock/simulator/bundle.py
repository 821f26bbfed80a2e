"""Checks a tarball of boot action assets strictly and unpacks it inside one directory."""

from __future__ import annotations

import gzip
import io
import pathlib
import tarfile
import zlib
from collections.abc import Mapping

from drydock.simulator.errors import InstallationFailed

GNU_MAGIC = b"ustar  \0"
MAGIC_OFFSET = 257
LARGEST = 512 * 1024 * 1024
"""Maximum bytes of an unpacked tarball."""


def check_headers(headers: Mapping[str, str], size: int) -> None:
    """Check the reply's headers against its ``size`` in bytes. Names in ``headers`` are case-insensitive."""
    lower = {name.lower(): value for name, value in headers.items()}
    if lower.get("content-type") != "application/gzip":
        raise InstallationFailed("the tarball's Content-Type is not application/gzip")
    if "content-encoding" in lower:
        raise InstallationFailed("the tarball came with a Content-Encoding")
    if lower.get("content-length") != str(size):
        raise InstallationFailed(f"the tarball has {size} bytes, which its Content-Length contradicts")


def unpack(body: bytes, root: pathlib.Path, *, largest: int = LARGEST) -> dict[str, bytes]:
    """Check ``body`` and unpack it under ``root``; return the contents by absolute name on the machine.

    Writes nothing unless all of it is valid. Raises ``InstallationFailed``.
    """
    archive = _gunzip(body, largest)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            members = tar.getmembers()
            for member in members:
                _check_member(member, archive)
            return _write(tar, members, root)
    except (tarfile.TarError, UnicodeError, OSError) as exc:
        raise InstallationFailed(f"the tarball cannot be unpacked: {type(exc).__name__}") from exc


def _gunzip(body: bytes, largest: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            archive = stream.read(largest + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise InstallationFailed("the tarball is not valid gzip") from exc
    if len(archive) > largest:
        raise InstallationFailed("the tarball is too large when unpacked")
    if len(archive) < tarfile.BLOCKSIZE * 2 or len(archive) % tarfile.BLOCKSIZE:
        raise InstallationFailed("the tarball is cut short")
    return archive


def _check_member(member: tarfile.TarInfo, archive: bytes) -> None:
    name = member.name
    start = member.offset + MAGIC_OFFSET
    if archive[start : start + len(GNU_MAGIC)] != GNU_MAGIC:
        raise InstallationFailed(f"{name}: not in GNU tar format")
    if not name.startswith("/") or ".." in pathlib.PurePosixPath(name).parts:
        raise InstallationFailed(f"{name}: not an absolute, plain path")
    if not (member.isreg() or member.isdir()):
        raise InstallationFailed(f"{name}: neither a file nor a directory")
    if member.uid or member.gid:
        raise InstallationFailed(f"{name}: owned by {member.uid}:{member.gid}, not by root")


def _write(tar: tarfile.TarFile, members: list[tarfile.TarInfo], root: pathlib.Path) -> dict[str, bytes]:
    """NOTE: not with tarfile's extract: its filters need Python 3.11.4 or 3.12, and it warns without one."""
    contents = {}
    for member in members:
        path = root / member.name.lstrip("/")
        _require_within(path, root)
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        # As in GNU tar, existing files are replaced, even read-only ones.
        path.unlink(missing_ok=True)
        source = tar.extractfile(member)
        contents[member.name] = b"" if source is None else source.read()
        path.write_bytes(contents[member.name])
        path.chmod(member.mode & 0o777)
    return contents


def _require_within(path: pathlib.Path, root: pathlib.Path) -> None:
    """Refuse paths that leave the root through a symbolic link."""
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise InstallationFailed(f"{path.name}: its directory is outside the machine")
