"""Design documents in a revision of a Git repository, without a checkout."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

import click

from drydock.cli.document_files import SUFFIXES

PREFIX = "git:"
#: The mode of a symbolic link.
_LINK = "120000"
_OBJECT = re.compile("([0-9a-f]+) (blob|tree) [0-9]+")


def read_revision(source: str) -> Mapping[str, bytes]:
    """What ``git:REV:PATH`` names in the repository of the working directory: of a directory its YAML files, by path.

    PATH counts from the top of the repository, or from here if it begins with ``./``. Symbolic links are followed as in
    a work tree: one that leads to no file is left out. Raises ``UsageError``, also for one that leads out of the
    repository.
    """
    revision, colon, path = source.removeprefix(PREFIX).partition(":")
    if not revision or not colon or revision.startswith("-"):
        raise click.UsageError(f"{source} is not of the form git:REVISION:PATH")
    # A path that ends in a slash names the same directory as one that does not.
    named = f"{revision}:{path.rstrip('/')}"
    top, kind = _followed(named)
    if not top:
        # Git says in words what is wrong.
        top, kind = named, _git("cat-file", "-t", named).decode().strip()
        if kind == "blob":
            raise click.UsageError(f"{source} is a symbolic link that leads to no file of the repository")
    if kind == "blob":
        return {"": _git("cat-file", "blob", top)}
    found = _files(top, named if named.endswith(":") else f"{named}/")
    if not found:
        raise click.UsageError(f"{source} holds no {' or '.join(SUFFIXES)} files")
    return {name: _git("cat-file", "blob", found[name]) for name in sorted(found)}


def _files(tree: str, below: str) -> Mapping[str, str]:
    """The blobs of a tree's YAML files by path; ``below`` is what the tree's own name begins with."""
    found: dict[str, str] = {}
    for entry in _git("ls-tree", "-r", "-z", tree).decode("utf-8", "surrogateescape").split("\0"):
        about, _, name = entry.partition("\t")
        if not name.lower().endswith(SUFFIXES):
            continue
        mode, kind, blob = about.split(" ")
        if mode == _LINK:
            blob, kind = _followed(below + name)
        if kind == "blob":
            found[name] = blob
    return found


def _followed(named: str) -> tuple[str, str]:
    """The id and the kind of an object, its symbolic links followed; "" if there is none."""
    asked = f"{named}\n".encode("utf-8", "surrogateescape")
    answer = _git("cat-file", "--batch-check", "--follow-symlinks", given=asked).decode("utf-8", "surrogateescape")
    first, _, target = answer.partition("\n")
    if first.startswith("symlink "):
        raise click.UsageError(
            f"{PREFIX}{named} is a symbolic link that leads out of the repository, to {target.rstrip()}"
        )
    found = _OBJECT.fullmatch(first)
    return (found[1], found[2]) if found else ("", "")


def _git(*arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", *arguments], input=given, capture_output=True, check=False)
    except OSError as exc:
        raise click.UsageError(f"git cannot be run: {exc.strerror}") from exc
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise click.UsageError(f"git: {reason or 'failed'}")
    return done.stdout
