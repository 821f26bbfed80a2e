"""Finds the file or environment variable that sets an option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oslo_config import cfg

PREFIX = "OS_"
SEPARATOR = "__"


@dataclass(frozen=True, slots=True)
class Given:
    """An option set by a file or the environment. ``place``: the file's path, or the variable's name."""

    group: str
    name: str
    place: str
    values: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Given([{self.group}] {self.name} in {self.place})"


class Sources:
    """All settings; later files win over earlier ones, and variables over files."""

    def __init__(self, conf: cfg.ConfigOpts, environ: Mapping[str, str]) -> None:
        """``conf`` has been read: its files exist and can be parsed."""
        self._files = {path: _sections(path) for path in _paths(conf)}
        self.environ = environ

    def options(self) -> Iterator[Given]:
        """Every option of every file, known or not, in file order."""
        for path, sections in self._files.items():
            for group, options in sections.items():
                for name, values in options.items():
                    yield Given(group, name, path, tuple(values))

    def groups(self) -> Iterator[tuple[str, str]]:
        """Every group of every file, with the file."""
        for path, sections in self._files.items():
            for group in sections:
                yield group, path

    def find(self, group: str, option: cfg.Opt) -> Given | None:
        """What sets ``option``; None if it has its default."""
        variable = variable_of(group, option.dest)
        if variable in self.environ:
            return Given(group, option.name, variable, (self.environ[variable],))
        names = names_of(group, option)
        found = [given for given in self.options() if (normal(given.group), given.name) in names]
        return found[-1] if found else None

    def place(self, group: str, option: cfg.Opt) -> str:
        """``[api] port in FILE``, to begin a message with."""
        given = self.find(group, option)
        if given is None:
            return f"[{group}] {option.dest}"
        if given.place == variable_of(group, option.dest):
            return f"{given.place} in the environment"
        return f"[{group}] {given.name} in {given.place}"


def variable_of(group: str, name: str) -> str:
    """The variable from which oslo.config takes an option."""
    return f"{PREFIX}{group.upper()}{SEPARATOR}{name.upper()}"


def normal(group: str) -> str:
    """A group as oslo.config compares it."""
    return group if group == "DEFAULT" else group.lower()


def names_of(group: str, option: cfg.Opt) -> frozenset[tuple[str, str]]:
    """(group, name) pairs under which a file may give ``option``, deprecated ones included."""
    old = [(each.group or group, each.name or option.dest) for each in option.deprecated_opts]
    return frozenset((normal(place), name) for place, name in [(group, option.name), (group, option.dest), *old])


def _paths(conf: cfg.ConfigOpts) -> list[str]:
    files = [Path(name).expanduser().absolute() for name in conf.config_file or ()]
    for directory in conf.config_dirs:
        files += sorted(Path(directory).expanduser().absolute().glob("*.conf"))
    return [str(path) for path in files]


def _sections(path: str) -> Mapping[str, Mapping[str, list[str]]]:
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(path, sections).parse()
    return sections
