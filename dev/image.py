"""The image, built and run without Docker: buildah and podman, on a base that mmdebstrap makes. Needs root.

What Docker Hub has is not asked for: the base is the Debian that mmdebstrap gets, with its own Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.locks import file_lock
from drydock import __version__

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache/image"
NAME = "localhost/drydock"
BASE = "localhost/drydock-base"
SUITE = "bookworm"
PYTHON = "python3.11"
#: With what Dockerfile would install: the build needs no more of Debian then.
PACKAGES = (PYTHON, f"{PYTHON}-venv", f"{PYTHON}-dev", "ca-certificates", "libpq5", "libpq-dev", "gcc", "libc6-dev")
PROGRAMS = ("buildah", "podman", "runc", "mmdebstrap")


class Unavailable(Exception):
    """Images cannot be built here; the message says why."""


def require() -> None:
    """Raises ``Unavailable``."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise Unavailable(f"needs {', '.join(missing)}: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise Unavailable("needs root, to make the base image")


def build() -> str:
    """The image's name; a minute or two, less when its layers are there."""
    require()
    CACHE.mkdir(parents=True, exist_ok=True)
    with file_lock(CACHE / "lock"):
        base = CACHE / "base.tar"
        if not base.exists():
            unfinished = CACHE / "unfinished.tar"
            try:
                _run(["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(unfinished)])
            except RuntimeError as error:
                raise Unavailable(f"no base image can be made: {error}") from error
            unfinished.rename(base)
        containerfile = CACHE / "Base"
        containerfile.write_text(
            f"FROM scratch\nADD base.tar /\nRUN ln -sf /usr/bin/{PYTHON} /usr/local/bin/python3"
            f" && ln -sf python3 /usr/local/bin/python\n"
        )
        common = ["bud", "--layers", "--isolation", "chroot", "--pull-never"]
        _run([*_tool("buildah"), *common, "-f", str(containerfile), "-t", BASE, str(CACHE)])
        _run(
            [
                *(*_tool("buildah"), *common, "--format", "docker", "--build-arg", f"BASE={BASE}"),
                *("--build-arg", f"VERSION={__version__}", *_pip_as_here(), "-t", NAME, str(ROOT)),
            ]
        )
    return NAME


def inspect(template: str) -> str:
    """A field of the image, by a Go template."""
    return _run([*_tool("podman"), "image", "inspect", "--format", template, NAME]).strip()


def run(*command: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """A command in a container of its own, to its end."""
    return subprocess.run(
        [*_podman_run(), "--rm", *options, NAME, *command], capture_output=True, text=True, check=False, timeout=120
    )


@contextmanager
def running(name: str, *command: str, options: Sequence[str] = ()) -> Iterator[str]:
    """A container in the background, on the host's network."""
    _run([*_podman_run(), "--detach", "--name", name, *options, NAME, *command])
    try:
        yield name
    finally:
        _run([*_tool("podman"), "rm", "--force", "--time", "10", name])


def inside(name: str, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command in a container that runs."""
    variables = [word for key, value in (environment or {}).items() for word in ("--env", f"{key}={value}")]
    return subprocess.run(
        [*_tool("podman"), "exec", *variables, name, *command], capture_output=True, text=True, check=False, timeout=60
    )


def logs(name: str) -> str:
    done = subprocess.run(
        [*_tool("podman"), "logs", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def _podman_run() -> list[str]:
    limits = ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=30000:30000"]
    hard = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt", "no-new-privileges"]
    return [*_tool("podman"), "run", *limits, "--no-healthcheck", "--network", "host", *hard, "--tmpfs", "/tmp"]


def _tool(name: str) -> list[str]:
    """With a storage of our own, below ``.cache``."""
    storage = ["--root", str(CACHE / "storage"), "--runroot", str(CACHE / "run"), "--storage-driver", "overlay"]
    engine = ["--cgroup-manager", "cgroupfs", "--runtime", "runc"] if name == "podman" else []
    return [name, *storage, *engine]


def _pip_as_here() -> list[str]:
    """The build's pip asks where ours asks: its settings, and the files and directories that they name."""
    settings = _run([sys.executable, "-m", "pip", "config", "list"]).splitlines()
    words = [word.removeprefix("file://") for line in settings for word in line.partition("=")[2].strip("'\"").split()]
    paths = {Path(word) for word in words if word.startswith("/")}
    roots = {path.parent if path.name == "simple" else path for path in paths if path.exists()}
    debug = _run([sys.executable, "-m", "pip", "config", "debug"])
    roots |= {Path(line.split(",")[0].strip()) for line in debug.splitlines() if line.endswith("exists: True")}
    mounts = [word for path in sorted(roots) for word in ("--volume", f"{path}:{path}:ro")]
    variables = [word for name in sorted(os.environ) if name.startswith("PIP_") for word in ("--env", name)]
    return [*mounts, *variables]


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:2])} failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done.stdout


def main() -> int:
    try:
        print(build())
    except Unavailable as error:
        print(f"make image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
