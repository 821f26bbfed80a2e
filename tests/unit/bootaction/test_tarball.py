"""Tarballs: the form that machines expect, the same bytes each time."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.bootaction.rendered import RenderedAsset
from drydock.bootaction.tarball import pack
from drydock.errors import RenderError
from drydock.model.boot_asset import AssetType


def asset(path: str | None = "/etc/x", content: bytes = b"x", mode: int = 0o600, kind: str = "file") -> RenderedAsset:
    return RenderedAsset("act", AssetType(kind), path, mode, content)


def members(packed: bytes) -> list[tuple[str, int, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return [(item.name, item.mode, archive.extractfile(item).read()) for item in archive]  # type: ignore[union-attr]


def test_the_form() -> None:
    packed = pack([asset("/opt/a.sh", b"#!/bin/sh\n", 0o555), asset("/" + "long/" * 60 + "x", b"")])
    assert packed[:10] == b"\x1f\x8b\x08\x04\x00\x00\x00\x00" + packed[8:10]
    raw = gzip.decompress(packed)
    assert raw[257:265] == b"ustar  \0"
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = archive.getmembers()
    assert [item.name for item in found] == ["/opt/a.sh", "/" + "long/" * 60 + "x"]
    assert {(item.uid, item.gid, item.uname, item.gname, item.mtime, item.type) for item in found} == {
        (0, 0, "", "", 0, tarfile.REGTYPE)
    }
    assert [item.mode for item in found] == [0o555, 0o600]


def test_its_length_tells_no_guess_from_another() -> None:
    """The length of what is sealed is stored."""
    lengths = {len(pack([asset("/etc/pin", f"pin={pin}".encode())])) for pin in range(10_000, 100_000, 499)}
    assert len(lengths) == 1
    for size in range(0, 3000, 7):
        packed = pack([asset(content=os.urandom(size))])
        assert len(packed) % 512 == 0
        assert len(members(packed)[0][2]) == size


def test_gnu_tar_reads_it(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(pack([asset(f"{tmp_path}/out/a", b"content", 0o640)]))
    subprocess.run(["tar", "-xpPzf", tmp_path / "x.tar.gz"], check=True, timeout=30)
    assert (tmp_path / "out" / "a").read_bytes() == b"content"
    assert (tmp_path / "out" / "a").stat().st_mode & 0o777 == 0o640


def test_no_assets_are_a_valid_empty_tarball() -> None:
    packed = pack([])
    assert members(packed) == []
    assert len(gzip.decompress(packed)) >= 1024


def test_package_lists_and_assets_without_a_path_are_never_in_it() -> None:
    assert members(pack([asset(kind="pkg_list"), asset(None, kind="pkg_list"), asset(None)])) == []


def test_of_a_path_twice_the_last_counts() -> None:
    assets = [asset("/a", b"1"), asset("/b", b"2"), asset("//a", b"3", 0o644)]
    assert members(pack(assets)) == [("/b", 0o600, b"2"), ("/a", 0o644, b"3")]


@pytest.mark.parametrize(
    "path", ["etc/x", "", "/", "//", "/etc/", "/../etc/x", "/etc/../../x", "/a/..", "/a\0b", "/a\nb", "../x", "/."]
)
def test_paths_that_must_not_be(path: str) -> None:
    with pytest.raises(RenderError, match="boot action act: asset"):
        pack([asset(path)])


def test_paths_are_normalised() -> None:
    assert [name for name, *_ in members(pack([asset("//etc/./a//b"), asset("/..a/b..")]))] == ["/etc/a/b", "/..a/b.."]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["/a", "/b/c", "/é"]), st.binary(max_size=50), st.sampled_from([0o600, 0o755])))
)
def test_same_input_same_bytes(parts: list[tuple[str, bytes, int]]) -> None:
    assets = [asset(*part) for part in parts]
    packed = pack(assets)
    assert pack(assets) == packed
    assert {name: (content, mode) for name, mode, content in members(packed)} == {
        name: (content, mode) for name, content, mode in parts
    }
