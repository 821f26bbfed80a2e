"""Design documents in a revision of a Git repository, without a checkout."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

import click

from drydock.cli.document_files import SUFFIXES

PREFIX = "git:"


def read_revision(source: str) -> Mapping[str, bytes]:
    """What ``git:REV:PATH`` names in the repository of the working directory: of a directory its YAML files, by path.

    PATH counts from the top of the repository, or from here if it begins with ``./``. Raises ``UsageError``.
    """
    revision, colon, path = source.removeprefix(PREFIX).partition(":")
    if not revision or not colon or revision.startswith("-"):
        raise click.UsageError(f"{source} is not of the form git:REVISION:PATH")
    # A path that ends in a slash names the same directory as one that does not.
    named = f"{revision}:{path.rstrip('/')}"
    kind = _git("cat-file", "-t", named).decode().strip()
    if kind == "blob":
        return {"": _git("cat-file", "blob", named)}
    listed = _git("ls-tree", "-r", "-z", "--name-only", named).decode("utf-8", "surrogateescape")
    found = sorted(name for name in listed.split("\0") if name.lower().endswith(SUFFIXES))
    if not found:
        raise click.UsageError(f"{source} holds no {' or '.join(SUFFIXES)} files")
    below = named if named.endswith(":") else f"{named}/"
    return {name: _git("cat-file", "blob", below + name) for name in found}


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError as exc:
        raise click.UsageError(f"git cannot be run: {exc.strerror}") from exc
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise click.UsageError(f"git: {reason or 'failed'}")
    return done.stdout
