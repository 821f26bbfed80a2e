"""Designs gone wrong: bytes and structures changed at random, the same way for the same seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import yaml

_DEEP = b"[" * 2000
_BOMB = b"---\nb0: &b0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"b{level}: &b{level} [{', '.join([f'*b{level - 1}'] * 9)}]\n".encode() for level in range(1, 12)
)
#: What is put in between.
TOKENS: tuple[bytes, ...] = (
    b"\t",
    b"\xff\xfe",
    b"\x00",
    b"\xc3",
    b"\xed\xa0\x80",
    "\N{BYTE ORDER MARK}".encode(),
    "\u2028".encode(),
    b"\r",
    b"---\n",
    b"...\n",
    b"%YAML 9.9\n",
    b"? ",
    b": ",
    b"- ",
    b"&a ",
    b"*a ",
    b"&a [*a]",
    b"<<: *a",
    b"<<: 7",
    b"!!binary x",
    b"!!python/object:os.system x",
    b"!!set {a, b}",
    b"!!omap [a: 1]",
    b"! ",
    b"|\n",
    b">-\n",
    b"'",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b"#",
    b"0b",
    b"0x",
    b"2017-13-45",
    b"2017-02-17",
    b"190:20:30",
    b"52:54:00:41:13:01",
    b"1e999",
    b".inf",
    b".nan",
    b"~",
    b"-1",
    b"'!'",
    b"9" * 5000,
    b"x" * 300_000,
    _DEEP,
    b"{a: " * 500,
    _BOMB,
)
#: What is put in the place of something.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    7,
    10**30,
    1.5,
    float("inf"),
    float("nan"),
    "",
    "!",
    "!name",
    "x",
    "\u202e",
    "\x7f",
    "a/b",
    "10.0.0.0/8",
    "10.0.0.7/24",
    "fe80::1%eth0",
    "::/0",
    "999.1.1.1",
    "50%",
    ">50%",
    "-5g",
    "20b",
    "802.1q",
    "802.3ad",
    "hardwareprofile:cpuset",
    "hardwareprofile:hugepages.a",
    "union",
    "%s{}%d",
    "x" * 100_000,
    [],
    {},
    [[]],
    [{}],
    {"": ""},
    {"name": "x"},
    [None],
    {"a": {"b": {"c": [1, 2, {"d": None}]}}},
    ["x"] * 3000,
    {str(key): key for key in range(3000)},
    {1: 2},
    {None: None},
)


def mutated(seeds: list[bytes], number: int) -> bytes:
    """Case ``number``."""
    chance = random.Random(number)  # noqa: S311
    content = chance.choice(seeds)
    if chance.random() < 0.5:
        content = _of_structure(content, chance)
    if chance.random() < 0.7:
        for _ in range(chance.randint(1, 4)):
            content = chance.choice(_BYTES)(content, chance)
    return content


def _of_structure(content: bytes, chance: random.Random) -> bytes:
    try:
        documents = list(yaml.load_all(content, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return content
    for _ in range(chance.randint(1, 5)):
        chance.choice(_STRUCTURES)(documents, chance)
    dumped: str = yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
    return dumped.encode("utf-8", "surrogatepass")


def _places(documents: list[Any]) -> list[tuple[Any, Any]]:
    """Every container with each of its keys."""

    def walk(value: Any) -> Iterator[tuple[Any, Any]]:
        keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            yield value, key
            yield from walk(value[key])

    return list(walk(documents))


def _replace(documents: list[Any], chance: random.Random) -> None:
    if places := _places(documents):
        container, key = chance.choice(places)
        container[key] = copy.deepcopy(chance.choice(VALUES))


def _delete(documents: list[Any], chance: random.Random) -> None:
    if places := _places(documents):
        container, key = chance.choice(places)
        del container[key]


def _rename(documents: list[Any], chance: random.Random) -> None:
    places = [place for place in _places(documents) if isinstance(place[0], dict)]
    if places:
        container, key = chance.choice(places)
        container[chance.choice(["!", "x", "", " "]) + str(key)] = container.pop(key)


def _transplant(documents: list[Any], chance: random.Random) -> None:
    if places := _places(documents):
        (here, key), (there, other) = chance.choice(places), chance.choice(places)
        here[key] = copy.deepcopy(there[other])


def _repeat(documents: list[Any], chance: random.Random) -> None:
    lists = [container[key] for container, key in _places(documents) if isinstance(container[key], list)]
    lists = [found for found in lists if found]
    if lists:
        found = chance.choice(lists)
        found.extend(copy.deepcopy([chance.choice(found)] * chance.choice([1, 50])))


def _circle(documents: list[Any], chance: random.Random) -> None:
    named = [item for item in documents if isinstance(item, dict) and isinstance(item.get("metadata"), dict)]
    names = [item["metadata"].get("name") for item in named]
    for item in named:
        if isinstance(item.get("data"), dict) and "HostProfile" in str(item.get("schema")):
            item["data"]["host_profile"] = chance.choice(names)


def _swap_documents(documents: list[Any], chance: random.Random) -> None:
    chance.shuffle(documents)
    documents.extend(copy.deepcopy(documents[: chance.randint(0, 3)]))


def _insert(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    return content[:at] + chance.choice(TOKENS) + content[at:]


def _insert_value(content: bytes, chance: random.Random) -> bytes:
    """After a colon, where a value belongs."""
    ends = [at for at, byte in enumerate(content) if byte == ord(":")]
    at = chance.choice(ends) + 1 if ends else 0
    return content[:at] + b" " + chance.choice(TOKENS) + content[at:]


def _cut(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    return content[:at] + content[at + chance.choice([1, 10, 1000]) :]


def _double(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    return content[:at] + content[at : at + chance.choice([20, 500])] * 2 + content[at:]


def _flip(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return content
    at = chance.randrange(len(content))
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _double_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    line = chance.choice(lines)
    lines.insert(chance.randint(0, len(lines)), chance.choice([line, b"  " + line, line.lstrip()]))
    return b"".join(lines)


_STRUCTURES: tuple[Callable[[list[Any], random.Random], None], ...] = (
    _replace,
    _replace,
    _replace,
    _delete,
    _rename,
    _transplant,
    _repeat,
    _circle,
    _swap_documents,
)
_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _insert,
    _insert_value,
    _cut,
    _double,
    _flip,
    _double_line,
)
