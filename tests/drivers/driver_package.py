"""A driver package that is not ours, as pip would install it: modules, and metadata with entry points."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

#: Modules of the package, and its test.
ACME = Path(__file__).with_name("acme")

OPTIONS = """
    from oslo_config import cfg

    ACME_OPTS = (
        cfg.StrOpt("endpoint", default="http://127.0.0.1:1", help="Where Acme listens."),
        cfg.IntOpt("speed", default=1, min=1, max=9, help="How fast Acme is."),
        cfg.FloatOpt("timeout", default=10.0, min=0.1, help="Seconds to wait for Acme."),
        cfg.StrOpt("password", secret=True, help="Acme's password."),
    )
"""
ENTRY_POINTS = """
    [drydock.node_drivers]
    acme = acme_drydock.driver:Acme.from_options

    [drydock.oob_drivers]
    acme = acme_drydock.driver:Acme.from_options

    [drydock.driver_options]
    acme = acme_drydock.options:ACME_OPTS
"""


def install(directory: Path, *, options: str = OPTIONS, entry_points: str = ENTRY_POINTS) -> Path:
    """Returns the directory, to be put on ``sys.path``."""
    package, metadata = directory / "acme_drydock", directory / "acme_drydock-1.0.dist-info"
    files = {
        package / "__init__.py": "",
        package / "options.py": options,
        package / "driver.py": (ACME / "driver.py").read_text(),
        package / "bmc.py": (ACME / "bmc.py").read_text(),
        directory / "test_acme.py": (ACME / "contract.py").read_text(),
        metadata / "METADATA": "Metadata-Version: 2.1\nName: acme-drydock\nVersion: 1.0\n",
        metadata / "entry_points.txt": entry_points,
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())
    return directory
