"""Releases before this one, from the repository's own history."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from dev.locks import file_lock

ROOT = Path(__file__).parents[2]
#: Commit of each version. To be added to when a release is made.
RELEASES = {"0.1.0": "6385a5f91e93", "0.2.0": "a7d90ef20285"}


def unpacked(version: str) -> Path:
    """Its tree, below ``.cache``. Skips the test where the history does not reach back to it."""
    commit = RELEASES[version]
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    if found.returncode:
        pytest.skip(f"needs the commit {commit}, of version {version}: this is no clone with its history")
    home = ROOT / ".cache" / f"release-{commit}"
    with file_lock(ROOT / ".cache" / f"release-{commit}.lock"):
        if not home.exists():
            archive = subprocess.run(
                ["git", "archive", commit, "drydock", "alembic"], cwd=ROOT, stdout=subprocess.PIPE, check=True
            ).stdout
            unfinished = home.with_suffix(".unfinished")
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                # Our own files, of which nothing leads out; the filters of tarfile came with Python 3.11.4.
                if hasattr(tarfile, "data_filter"):
                    tar.extractall(unfinished, filter="data")
                else:
                    tar.extractall(unfinished)  # noqa: S202
            unfinished.rename(home)
    return home


def revision(tree: Path) -> str:
    """The last migration that it has."""
    return max(path.name[:4] for path in (tree / "alembic/versions").glob("0*.py"))
