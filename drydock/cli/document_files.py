"""Design documents in a file, in a directory, or on stdin."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

SUFFIXES = (".yaml", ".yml")


def read_documents(file: str) -> bytes:
    """One stream: of a directory all YAML files in the order of their paths, each beginning a document.

    Raises ``UsageError``.
    """
    texts = read_texts(file)
    if len(texts) == 1:
        return next(iter(texts.values()))
    return b"".join(_as_documents(content) for content in texts.values())


def read_texts(file: str) -> Mapping[str, bytes]:
    """The texts of a directory's YAML files by path, or of a file or stdin by "". Raises ``UsageError``."""
    if file == "-":
        return {"": sys.stdin.buffer.read()}
    path = Path(file)
    if not path.is_dir():
        return {"": _read(path)}
    found = sorted(item for item in path.rglob("*") if item.suffix.lower() in SUFFIXES and item.is_file())
    if not found:
        raise click.UsageError(f"{file} holds no {' or '.join(SUFFIXES)} files")
    return {str(item.relative_to(path)): _read(item) for item in found}


def _as_documents(content: bytes) -> bytes:
    """Add a final line end, and a document start after leading comments and directives."""
    text = content.removeprefix(b"\xef\xbb\xbf")
    if not text.endswith(b"\n"):
        text += b"\n"
    # NOTE: directives need a "..." before them and a "---" after them.
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(b"#"))
    first = next(lines, b"")
    if first.startswith((b"---", b"%")):
        return (b"...\n" if first.startswith(b"%") else b"") + text
    return b"---\n" + text


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise click.UsageError(f"{path} cannot be read: {exc.strerror}") from exc
