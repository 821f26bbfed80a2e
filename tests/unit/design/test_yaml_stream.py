"""YAML text: what safe_load makes of it, with line numbers, and within bounds."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.design.yaml_reader import MAX_DEPTH, MAX_VALUES, Reader
from drydock.design.yaml_stream import MAX_FAULTS, read_stream
from tests.unit.design import real_sites

SAME = [
    "a: 1\nb: [x, 'y', \"z\"]\n",
    "--- {a: yes, b: off, c: ~, d: 0x1f, e: 017, f: 1.5, g: 1e3}\n",
    "a: 2017-02-17\nb: 2001-12-14t21:59:43.10-05:00\nc: !!binary aGVsbG8=\n",
    "base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3, c: 4}\n",
    "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], w: 0}\n",
    "a: {<<: {x: 1}, <<: {x: 2, y: 2}}\n",
    "'<<': text\nlist: ['<<']\n",
    "a: &x 5\nb: *x\nc: !!str 5\nd: ! 5\n",
    "a: |\n  text\n   more\nb: >-\n  folded\n  text\n",
    "- a\n-\n- b\n",
    "? complicated\n: value\n1: one\nnull: none\n",
    "%YAML 1.1\n---\na: 1\n...\n---\nb: 2\n",
    "",
    "# only a comment\n",
]


@pytest.mark.parametrize("text", SAME)
def test_means_what_safe_load_makes_of_it(text: str) -> None:
    found = read_stream(text.encode())
    assert not found.faults
    assert not [problem for document in found.documents for problem in document.problems]
    assert repr([document.value for document in found.documents]) == repr(
        [value for value in yaml.safe_load_all(text) if value is not None]
    )


_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_values = st.recursive(_scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@settings(deadline=None)
@given(st.lists(_values.filter(lambda value: value is not None), max_size=3))
def test_reads_back_what_was_dumped(values: list[object]) -> None:
    found = read_stream(yaml.safe_dump_all(values).encode())
    assert (found.faults, [document.value for document in found.documents]) == ((), values)


@real_sites.needs_real_sites
def test_the_designs_of_real_sites() -> None:
    for path in real_sites.DESIGNS.glob("*.yaml"):
        content = path.read_bytes()
        values = [value for value in yaml.load_all(content, yaml.CSafeLoader) if value is not None]
        assert repr([document.value for document in read_stream(content).documents]) == repr(values)


@pytest.mark.parametrize(
    ("content", "text", "line", "column"),
    [
        (b"a: 1\nb: [1, 2\nc: 3\n", "malformed YAML", 3, 2),
        (b"a: 1\nb: [1\n\nc: 3\n", "flow sequence that begins at line 2", 4, 2),
        (b"a: b: c\n", "mapping values are not allowed", 1, 5),
        (b"ok: 1\n---\n\tx: 1\n", "cannot start any token", 3, 1),
        (b"a: 1\nb: \x00\n", "not allowed in YAML", 2, 4),
        (b"a: 1\n\xff\xfe\n", "not UTF-8 text", 2, 1),
        ("a: \U0001f600\nb: \x07".encode(), "not allowed in YAML", 2, 4),
        ("a: 1".encode("utf-16"), "not UTF-8 text", 1, 1),
    ],
)
def test_malformed_text_is_a_fault_with_line_and_column(content: bytes, text: str, line: int, column: int) -> None:
    (fault,) = read_stream(content).faults
    assert text in str(fault)
    assert (fault.line, fault.column) == (line, column)


def test_documents_before_the_fault_are_kept() -> None:
    found = read_stream(b"a: 1\n---\nb: [\n")
    assert [document.value for document in found.documents] == [{"a": 1}]
    assert len(found.faults) == 1


@pytest.mark.parametrize(
    "broken",
    [
        "b: [1, 2",
        "b: 'open",
        "\tb: 1",
        "b: c: d",
        "- a\nb: 1",
        "b: |\n text\n  c: [\nd: [",
        "[" * (MAX_DEPTH + 1),
        "%x",
        "*",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_document_that_cannot_be_read_does_not_hide_those_that_follow(broken: str, end: str) -> None:
    text = f"ä: 1\n---\n{broken}\n--- \nc: [\n---\nd: 52:54\n".replace("\n", end)
    found = read_stream(text.encode(), "site.yaml")
    assert [document.value for document in found.documents] == [{"ä": 1}, {"d": 3174}]
    first, second = found.faults
    last = found.documents[-1]
    lines = broken.count("\n")
    assert first.line in range(2, 5 + lines)
    assert (second.line, last.line, last.problems[0].line) == (6 + lines, 6 + lines, 7 + lines)
    assert {fault.source for fault in found.faults} == {last.source} == {"site.yaml"}


def test_reading_ends_after_many_faults() -> None:
    found = read_stream(b"---\na: [\n" * (MAX_FAULTS + 5) + b"---\na: 1\n")
    assert (len(found.faults), found.documents) == (MAX_FAULTS, ())
    assert [fault.text.endswith("; the rest was not read") for fault in found.faults] == [
        *[False] * (MAX_FAULTS - 1),
        True,
    ]


def test_aliases_are_counted_across_faults() -> None:
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 6)]
    found = read_stream("\n---\n".join(["\n".join([*laughs, "b: ["])] * 8).encode())
    assert len(found.faults) < 8
    assert "aliases expand to more than" in found.faults[-1].text


def test_empty_documents_are_left_out() -> None:
    assert [document.line for document in read_stream(b"---\n---\na: 1\n---\n# nothing\n---\n~\n").documents] == [2]


@pytest.mark.parametrize(
    ("text", "problem", "error"),
    [
        (
            "a: 1\nb: 2\na: 3\nb: 4\n",
            "duplicate key 'a': the last one wins; a --- line is probably missing before it (line 3, column 1)",
            False,
        ),
        ("x:\n  - {k: 1, k: 2}\n", "duplicate key 'k' (line 2, column 12)", True),
        ("mac: 52:54:00:41:13:01\n", "52:54:00:41:13:01 is a number to YAML, to the base 60: put quotes", False),
        (
            "a: *nowhere\n",
            "alias *nowhere has no anchor before it, or is inside its own anchor (line 1, column 4)",
            True,
        ),
        ("&a [*a]\n", "alias *a has no anchor before it, or is inside its own anchor (line 1, column 5)", True),
        ("? [1]\n: x\n", "a key must be a simple value (line 1, column 5)", True),
        ("a: !python/object:os.system x\n", "could not determine a constructor", True),
        ("a: !!set {x}\n", "tag tag:yaml.org,2002:set is not supported", True),
        ("a: 2017-13-45\n", "not a valid timestamp value", True),
        ("a: !!int maybe\n", "not a valid int value", True),
        ("a: !!bool maybe\n", "not a valid bool value", True),
        ("a: {<<: 5}\n", "<< needs a mapping", True),
        ("a: =\n", "could not determine a constructor", True),
    ],
)
def test_faults_within_a_document(text: str, problem: str, error: bool) -> None:
    found = read_stream(text.encode())
    assert not found.faults
    (problems,) = [document.problems for document in found.documents]
    assert problem in str(problems[0])
    assert problems[0].error is error


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_and_does_not_kill_the_process(opening: str) -> None:
    (fault,) = read_stream(opening.encode() * 200_000).faults
    assert f"nested deeper than {MAX_DEPTH} levels" in fault.text


def test_aliases_are_bounded() -> None:
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    laughs += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (fault,) = read_stream("\n".join(laughs).encode()).faults
    assert "aliases expand to more than" in fault.text


def test_a_flood_of_faults_ends() -> None:
    found = read_stream(b"{" + b"a: 1, " * 5000 + b"}")
    (fault,) = found.faults
    assert "too many faults" in fault.text
    assert len(found.documents[0].problems) == 200


def places(content: bytes) -> list[tuple[int, int]]:
    """Where something is wrong."""
    found = read_stream(content)
    problems = [problem for document in found.documents for problem in document.problems]
    return [(problem.line, problem.column) for problem in (*problems, *found.faults)]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_text_is_too_strange(content: bytes) -> None:
    assert all(line >= 1 and column >= 1 for line, column in places(content))


@settings(deadline=None)
@given(st.text(alphabet="{}[]:,-?&*!|>'\"%@`# \n\tab1<~=.", max_size=60))
def test_no_punctuation_is_too_strange(text: str) -> None:
    assert all(line <= text.count("\n") + 2 and column <= 62 for line, column in places(text.encode()))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 0x" + "f" * 200, "is read as int and has more than 100 characters"),
        ("a: 0b" + "1" * 200, "is read as int and has more than 100 characters"),
        ("a: 1" + "_0" * 100_000, "is read as int and has more than 100 characters"),
        ("a: " + "7" * 5_000, "is read as int and has more than 100 characters"),
        ("a: 1" + ":59" * 87_000, "is read as int and has more than 100 characters"),
        ("a: 1" + ":59" * 87_000 + ".5", "is read as float and has more than 100 characters"),
        ("a: 1." + "0" * 5_000, "is read as float and has more than 100 characters"),
        ("a: 2001-12-14t21:59:43." + "1" * 5_000, "is read as timestamp and has more than 100 characters"),
        ("a: !!int '" + "1:59" * 5_000 + "'", "is read as int and has more than 100 characters"),
        ("a: !!float '" + "1" * 5_000 + "'", "is read as float and has more than 100 characters"),
        ("a: !!python/" + "x" * 5_000 + " y", "could not determine a constructor"),
        ("a: !" + "x" * 5_000 + " {}", "is not supported"),
        ("a: .inf", ".inf is not a finite number"),
        ("a: -.INF", "-.INF is not a finite number"),
        ("a: .nan", ".nan is not a finite number"),
        ("a: 1.0e+999", "1.0e+999 is not a finite number"),
        ("a: !!float 1e999", "1e999 is not a finite number"),
        ("a: 0001-01-01 00:00:00 +99:99", "not a valid timestamp value"),
        ('a: "x\\0y"', "a value with the character U+0000"),
        ('"a\\0": y', "control characters"),
        ('"a\\x9b": y', "control characters"),
        ("? " + "k" * 2_000 + "\n: x", "a key with control characters, or of more than 1024 characters"),
    ],
)
def test_a_scalar_that_cannot_be_used_is_told_before_it_is_converted(text: str, problem: str) -> None:
    found = read_stream(text.encode())
    problems = [item for document in found.documents for item in document.problems]
    assert any(problem in item.text and item.error for item in problems), (problems, found.faults)
    assert all(len(item.text) <= 300 for item in problems)


def test_a_lone_surrogate_is_a_fault() -> None:
    (fault,) = read_stream(b'a: "\\ud800"').faults
    assert "invalid Unicode character escape code" in fault.text


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa: 1\n---\nb: 2\n",
        "a: 1\n\ufeff---\nb: 2\n",
        "a: 1\n---\n\ufeffb: 2\n",
        "\ufeffa: 1\r\n...\r\n\ufeff---\r\nb: 2",
    ],
)
def test_a_byte_order_mark_at_the_beginning_of_any_document_is_allowed(text: str) -> None:
    found = read_stream(text.encode())
    assert ([document.value for document in found.documents], found.faults) == ([{"a": 1}, {"b": 2}], ())


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [("a: 1\nb: \ufeff2\n", "U+FEFF", 2), ("a:\n\u00a0b: 2\n", "U+00A0", 2), ("a\u200b: 2\n", "U+200B", 1)],
)
def test_an_invisible_character_is_told_with_its_line(text: str, code: str, line: int) -> None:
    (document,) = read_stream(text.encode()).documents
    assert [(item.line, item.error) for item in document.problems if code in item.text] == [(line, False)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_text_in_another_encoding_is_named(encoding: str) -> None:
    (fault,) = read_stream("a: 1".encode(encoding)).faults
    assert "UTF-16 or UTF-32: save it as UTF-8" in fault.text


def test_more_values_than_any_site_has_are_not_read() -> None:
    fault = Reader(b"[a]", values=MAX_VALUES).read()
    assert fault is not None
    assert "more than 5000000 values" in fault.problem.text
