"""Reads YAML documents from text; reading goes on after an unreadable one."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace

from drydock.design.yaml_document import Fault, Problem, YamlDocument
from drydock.design.yaml_reader import Reader

#: Maximum number of unreadable documents in one text; reading stops after the last.
MAX_FAULTS = 20
_REST = "; the rest was not read"
_LINE_END = "\r\n|[\n\r\x85\u2028\u2029]"
#: A line that ends a document regardless of open containers. Line ends as in YAML.
_MARKER = re.compile(f"(?<=[\n\r\x85\u2028\u2029])---(?=[ \t]|{_LINE_END}|\\Z)")
_LINE_ENDS = re.compile(_LINE_END)
#: YAML allows a byte order mark before each document, as in concatenated files; libyaml only before the first.
_BOM_BYTES = codecs.BOM_UTF8
_BOM = re.compile("(?:\\A|(?<=[\n\r\x85\u2028\u2029]))\ufeff")


@dataclass(frozen=True, slots=True)
class YamlStream:
    """``faults``: documents that could not be read. ``schemas``: the schemas in
    these. ``content``: the text.
    """

    documents: tuple[YamlDocument, ...]
    faults: tuple[Problem, ...] = ()
    content: bytes = field(default=b"", repr=False)
    schemas: tuple[str, ...] = ()


def read_stream(content: bytes, source: str = "") -> YamlStream:
    """All documents of a UTF-8 text, without empty ones. Raises nothing: problems are in the result.

    ``source``: a name for the text, if it is one of several.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as exc:
        wide = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        reason = "not UTF-8 text, but UTF-16 or UTF-32: save it as UTF-8" if wide else "not UTF-8 text"
        return YamlStream((), (Problem.at_offset(content, exc.start, reason, source),))
    if _BOM_BYTES in content:
        text = plain_text(content)
        content = text.encode("utf-8")
    reader = Reader(content, source)
    fault = reader.read()
    if fault is None:
        return YamlStream(tuple(reader.documents), content=content)
    return replace(_read_rest(text, reader, fault), content=content)


def plain_text(content: bytes) -> str:
    """Decoded, without byte order marks at the beginning of lines. Raises ``UnicodeDecodeError``."""
    return _BOM.sub("", content.decode("utf-8"))


def _read_rest(text: str, reader: Reader, fault: Fault | None) -> YamlStream:
    """Continue after each unreadable document."""
    documents, faults, schemas = list(reader.documents), [], []
    start = lines = 0
    while fault is not None:
        schemas.append(fault.schema)
        following = _MARKER.search(text, start + fault.document + len("---"))
        if following is None:
            faults.append(fault.problem)
            break
        if fault.final or len(faults) + 1 == MAX_FAULTS:
            faults.append(replace(fault.problem, text=fault.problem.text + _REST))
            break
        faults.append(fault.problem)
        lines += len(_LINE_ENDS.findall(text, start, following.start()))
        start = following.start()
        reader = reader.following(text[start:].encode(), lines)
        fault = reader.read()
        documents += reader.documents
    return YamlStream(tuple(documents), tuple(faults), schemas=tuple(schemas))
