"""Tarballs: what a machine accepts, and where it puts it."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
from pathlib import Path

import pytest

from drydock.simulator import bundle
from drydock.simulator.errors import InstallationFailed


def pack(*members: tarfile.TarInfo, tar_format: int = tarfile.GNU_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tar_format) as tar:
        for member in members:
            member.size = 4 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"text") if member.isreg() else None)
    return gzip.compress(stream.getvalue(), mtime=0)


def member(name: str, mode: int = 0o600, kind: bytes = tarfile.REGTYPE, uid: int = 0, gid: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.uid, info.gid = mode, kind, uid, gid
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = "/etc/passwd"
    return info


def test_unpacks_inside_its_directory_with_modes(tmp_path: Path) -> None:
    body = pack(member("/etc", 0o755, tarfile.DIRTYPE), member("/etc/a", 0o640), member("/opt/run", 0o555))
    assert bundle.unpack(body, tmp_path) == {"/etc/a": b"text", "/opt/run": b"text"}
    modes = {path: stat.S_IMODE((tmp_path / path).stat().st_mode) for path in ("etc/a", "opt/run")}
    assert modes == {"etc/a": 0o640, "opt/run": 0o555}


def test_replaces_what_is_in_the_way(tmp_path: Path) -> None:
    for mode in (0o400, 0o644):
        bundle.unpack(pack(member("/opt/run", mode), member("/opt/run", mode)), tmp_path)
    assert stat.S_IMODE((tmp_path / "opt/run").stat().st_mode) == 0o644


def test_an_empty_tarball_is_valid(tmp_path: Path) -> None:
    assert bundle.unpack(pack(), tmp_path) == {}


def test_a_long_name(tmp_path: Path) -> None:
    name = "/opt/" + "/".join(["directory"] * 20)
    assert list(bundle.unpack(pack(member(name)), tmp_path)) == [name]


GOOD = pack(member("/a"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "cut short"),
        (b"nothing of the kind", "not valid gzip"),
        (GOOD[:-10], "not valid gzip"),
        (gzip.compress(b"", mtime=0), "cut short"),
        (gzip.compress(b"x" * 1000, mtime=0), "cut short"),
        (gzip.compress(b"x" * 10240, mtime=0), "cannot be unpacked"),
        (pack(member("/a"), tar_format=tarfile.PAX_FORMAT), "GNU"),
        (pack(member("/a"), tar_format=tarfile.USTAR_FORMAT), "GNU"),
        (pack(member("a")), "absolute"),
        (pack(member("./a")), "absolute"),
        (pack(member("/../a")), "absolute"),
        (pack(member("/etc/../../../a")), "absolute"),
        (pack(member("/a", kind=tarfile.SYMTYPE)), "neither a file"),
        (pack(member("/a", kind=tarfile.LNKTYPE)), "neither a file"),
        (pack(member("/a", kind=tarfile.FIFOTYPE)), "neither a file"),
        (pack(member("/a", uid=1000)), "not by root"),
        (pack(member("/a", gid=1000)), "not by root"),
        (pack(member("/good"), member("/bad", uid=1)), "not by root"),
        (pack(member("/a"), member("/a/b")), "cannot be unpacked"),
    ],
)
def test_bad_tarballs(tmp_path: Path, body: bytes, reason: str) -> None:
    with pytest.raises(InstallationFailed, match=reason):
        bundle.unpack(body, tmp_path / "root")
    assert not (tmp_path / "root" / "good").exists()


def test_a_tarball_larger_than_a_machine(tmp_path: Path) -> None:
    with pytest.raises(InstallationFailed, match="too large when unpacked"):
        bundle.unpack(gzip.compress(bytes(10240)), tmp_path, largest=5000)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Content-Length": "4"}, "Content-Type"),
        ({"Content-Type": "application/gzip"}, "Content-Length"),
        ({"Content-Type": "application/gzip", "content-length": "5"}, "Content-Length"),
        ({"Content-Type": "application/gzip", "Content-Length": "4", "Content-Encoding": "gzip"}, "Content-Encoding"),
    ],
)
def test_bad_headers(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(InstallationFailed, match=reason):
        bundle.check_headers(headers, 4)


def test_good_headers() -> None:
    bundle.check_headers({"content-type": "application/gzip", "CONTENT-LENGTH": "4"}, 4)
