"""``file`` references: regular files below the configured roots, after resolving symbolic links."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import SplitResult, unquote

from drydock.errors import InvalidReference, ReferenceUnavailable


class FileFetcher:
    def __init__(self, roots: Sequence[str], *, max_bytes: int) -> None:
        self._roots = tuple(Path(root).resolve() for root in roots if root)
        self._max_bytes = max_bytes

    def fetch(self, parts: SplitResult) -> bytes:
        """The file's bytes; the host part of the URI is ignored. Raises as ``References.fetch``."""
        asked = unquote(parts.path)
        if not asked.startswith("/") or "\0" in asked:
            raise InvalidReference("a file reference needs an absolute path")
        try:
            path = Path(asked).resolve()
        except (OSError, RuntimeError) as exc:
            raise InvalidReference(f"file {asked} cannot be resolved") from exc
        if not any(path.is_relative_to(root) for root in self._roots):
            raise InvalidReference(f"file {asked} is not below one of the configured file roots")
        try:
            return self._read(path, asked)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as exc:
            raise InvalidReference(f"file {asked} cannot be opened: {exc.strerror}") from exc
        except OSError as exc:
            # A cycle of links, which resolve() accepts since Python 3.13.
            if exc.errno == errno.ELOOP:
                raise InvalidReference(f"file {asked} cannot be resolved") from exc
            raise ReferenceUnavailable(f"file {asked} cannot be read: {exc.strerror}") from exc

    def _read(self, path: Path, asked: str) -> bytes:
        # O_NOFOLLOW: the path was just resolved. O_NONBLOCK: a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidReference(f"{asked} is not a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(self._max_bytes + 1)
        finally:
            os.close(descriptor)
        if len(content) > self._max_bytes:
            raise InvalidReference(f"file {asked} is larger than {self._max_bytes} bytes")
        return content
