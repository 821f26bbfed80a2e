"""Finds settings that nothing reads: misspelt options, groups and variables, and those of upstream Drydock.

Names are shown, values never. A name that may be part of a value broken over two lines is not shown either.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from oslo_config import cfg

from drydock.conf.sources import PREFIX, SEPARATOR, Given, Sources, names_of, normal, variable_of
from drydock.conf.upstream import INSTEAD

Options = Mapping[str, Sequence[cfg.Opt]]

#: oslo.config's own, in [DEFAULT].
_OF_OSLO = frozenset(("DEFAULT", name) for name in ("config_file", "config_dir", "config_source"))
#: Our variables that are not options.
VARIABLES = ("DRYDOCK_CONFIG_FILE", "DRYDOCK_DATABASE_URL")
_PLAIN = re.compile(r"(?!.*[0-9a-fA-F]{16})[A-Za-z_][A-Za-z0-9_.-]{0,63}")
#: Minimum similarity of a group and a suggestion; variables of other services have the same form.
_ALIKE = 0.8


def suspicions(sources: Sources, options: Options) -> Iterator[str]:
    """One sentence for each; ``options``: all known options by group."""
    known = frozenset(chain(_OF_OSLO, *(names_of(group, each) for group in options for each in options[group])))
    yield from _of_files(sources, options, known)
    yield from _of_environment(sources.environ, options)
    yield from _substituted(sources, options)


def _of_files(sources: Sources, options: Options, known: frozenset[tuple[str, str]]) -> Iterator[str]:
    groups = {group for group, _ in known}
    several = frozenset(chain(*(names_of(group, each) for group in options for each in options[group] if each.multi)))
    upstream = {group for group, _ in INSTEAD}
    for group, path in dict.fromkeys(sources.groups()):
        if normal(group) not in groups | upstream:
            yield f"[{shown(group)}] in {path}: there is no such group{_meant(group, options, '[{}]')}"
    for given in sources.options():
        name = (normal(given.group), given.name)
        if name in known:
            if len(given.values) > 1 and name not in several:
                yield f"{_place(given)}: is set {len(given.values)} times; the last one is used"
        elif name in INSTEAD:
            yield f"{_place(given)}: there is no such option; {INSTEAD[name]}"
        elif name[0] in groups | upstream:
            yield f"{_place(given)}: there is no such option{_other(given, options)}"


def _of_environment(environ: Mapping[str, str], options: Options) -> Iterator[str]:
    known = {variable_of(group, each.dest) for group in options for each in options[group]}
    joined = {name.replace(SEPARATOR, "_"): name for name in known if name.count(SEPARATOR) == 1}
    for variable in environ:
        capitals = variable.upper()
        if variable in known or variable in VARIABLES:
            continue
        if capitals in known or capitals in VARIABLES:
            yield f"{shown(variable)} in the environment: not read; write it in capitals, {capitals}"
        elif capitals in joined:
            yield f"{shown(variable)} in the environment: not read; did you mean {joined[capitals]}?"
        elif capitals.startswith(PREFIX) and SEPARATOR in capitals[len(PREFIX) :]:
            group = capitals[len(PREFIX) :].partition(SEPARATOR)[0].lower()
            if _near(group, (each.lower() for each in options)):
                nearest = _near(capitals, known)
                yield f"{shown(variable)} in the environment: there is no such option{_question(nearest)}"
        elif capitals.startswith("DRYDOCK_") and (nearest := _near(capitals, VARIABLES, 0.9)):
            yield f"{shown(variable)} in the environment: not read{_question(nearest)}"


def _substituted(sources: Sources, options: Options) -> Iterator[str]:
    """A ``$`` in a password is seldom meant as the name of another option."""
    for group in options:
        for option in (each for each in options[group] if each.secret):
            given = sources.find(group, option)
            if given and re.search(r"(?i)(?<![$\\])(?:\$\$)*\$[{_a-z]", given.values[-1]):
                yield f"{sources.place(group, option)}: $NAME in it is replaced by another option; write $$ for one $"


def _other(given: Given, options: Options) -> str:
    """The group that has an option of that name, or the most similar name."""
    elsewhere = [group for group in options if any(each.name == given.name for each in options[group])]
    if len(elsewhere) == 1:
        return f"; did you mean the one of [{elsewhere[0]}]?"
    mine = options.get(normal(given.group), ())
    if (nearest := _near(given.name, [each.name for each in mine], 0.6)) is None:
        return ""
    return f"; did you mean {nearest}?"


def _meant(group: str, options: Options, form: str) -> str:
    nearest = _near(group.lower(), {each.lower(): each for each in options})
    actual = next((each for each in options if each.lower() == nearest), None)
    return "" if actual is None else f"; did you mean {form.format(actual)}?"


def _question(nearest: str | None) -> str:
    return "" if nearest is None else f"; did you mean {nearest}?"


def _near(word: str, among: Iterable[str], alike: float = _ALIKE) -> str | None:
    found = difflib.get_close_matches(word, list(among), n=1, cutoff=alike)
    return found[0] if found else None


def _place(given: Given) -> str:
    return f"[{shown(given.group)}] {shown(given.name)} in {given.place}"


def shown(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else "(a name that is not shown)"
