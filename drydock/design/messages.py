"""Messages about a design, bounded in number and size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from drydock.counting import counted
from drydock.model.message import DocumentRef, Level, ValidationMessage

#: Maximum number of errors, and of warnings, of one design; of each rule; of documents in one message.
MAX_MESSAGES = 500
MAX_OF_RULE = 100
MAX_DOCUMENTS = 20
#: Maximum characters of a text in a message.
MAX_TEXT = 1500
MAX_NAME = 255
SHOWN_NAMES = 5


class Messages:
    """Keeps the first messages, in order, and counts the others by rule."""

    def __init__(self) -> None:
        self._kept: list[ValidationMessage] = []
        self._seen: Counter[tuple[Level, str, str]] = Counter()
        self._levels: Counter[Level] = Counter()
        self._left_out: Counter[tuple[Level, str, str]] = Counter()

    def add(self, message: ValidationMessage) -> None:
        kind = (message.level, message.code, message.rule)
        full = self._seen[kind] >= MAX_OF_RULE or self._levels[message.level] >= MAX_MESSAGES
        if full and message.level is not Level.INFO:
            self._left_out[kind] += 1
            return
        self._seen[kind] += 1
        self._levels[message.level] += 1
        self._kept.append(_shortened(message))

    def extend(self, messages: Iterable[ValidationMessage]) -> None:
        for message in messages:
            self.add(message)

    def result(self) -> tuple[ValidationMessage, ...]:
        """The messages kept, and a summary for each rule with further ones."""
        return (*self._kept, *self._summaries())

    def _summaries(self) -> Iterator[ValidationMessage]:
        for (level, code, rule), count in self._left_out.items():
            more, of_rule = f"more {level.value.lower()}", f"of {code} {rule}"
            text = counted(count, f"{more} {of_rule} is", f"{more}s {of_rule} are")
            yield ValidationMessage(code, rule, f"{text} not shown.", level)


def bounded(messages: Iterable[ValidationMessage]) -> tuple[ValidationMessage, ...]:
    found = Messages()
    found.extend(messages)
    return found.result()


def cut(text: str, length: int) -> str:
    """Replace the middle of a long text with an ellipsis."""
    if len(text) <= length:
        return text
    return f"{text[: length * 2 // 3]} … {text[len(text) - length // 4 :]}"


def listed(names: Sequence[str]) -> str:
    """``n1``, ``n1 and n2``, ``n1, n2, n3, n4, n5 and 9 more (14 in all)``."""
    if len(names) > SHOWN_NAMES + 1:
        return f"{', '.join(names[:SHOWN_NAMES])} and {len(names) - SHOWN_NAMES} more ({len(names)} in all)"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _shortened(message: ValidationMessage) -> ValidationMessage:
    documents = message.documents
    long_names = any(len(item.name) > MAX_NAME or len(item.schema) > MAX_NAME for item in documents)
    if len(message.message) <= MAX_TEXT and len(documents) <= MAX_DOCUMENTS and not long_names:
        return message
    return replace(
        message,
        message=cut(message.message, MAX_TEXT),
        documents=tuple(
            DocumentRef(cut(item.schema, MAX_NAME), cut(item.name, MAX_NAME)) for item in documents[:MAX_DOCUMENTS]
        ),
    )
