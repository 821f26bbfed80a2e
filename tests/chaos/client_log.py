"""What the clients were told, one JSON object a line, written before they act on it.

The proof starts from here: Drydock answers for what it acknowledged, and for nothing else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class ClientLog:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file = path.open("a", buffering=1)

    def write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"at": datetime.now(UTC).isoformat(), "event": event, **fields})
        with self._lock:
            self._file.write(line + "\n")

    def close(self) -> None:
        self._file.close()

    def text(self) -> str:
        return self._path.read_text()

    def entries(self, *events: str) -> Iterator[Entry]:
        for line in self._path.read_text().splitlines():
            entry: Entry = json.loads(line)
            if entry["event"] in events:
                yield entry
