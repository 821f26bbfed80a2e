"""Packaging. Tools' settings are in pyproject.toml; the exact versions that were tested are in requirements.txt."""

import pathlib
import re

from setuptools import find_namespace_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "drydock/__init__.py").read_text()).group(1)

setup(
    name="drydock",
    version=VERSION,
    description="Bare-metal provisioning from a declarative site design",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    # The top-level alembic/ has no __init__.py (with one it would hide the library), yet must travel with the package.
    packages=[
        *find_namespace_packages(include=["drydock", "drydock.*"]),
        "drydock.migrations",
        "drydock.migrations.versions",
    ],
    package_dir={"drydock.migrations": "alembic"},
    package_data={
        "drydock": ["py.typed"],
        "drydock.bootaction": ["*.sh"],
        "drydock.migrations": ["*.mako"],
        "drydock.design.schemas": ["*.yaml"],
    },
    install_requires=[
        "alembic>=1.14,<2",
        "cachetools>=5.5",
        "click>=8.1,<9",
        "cryptography>=43",
        "falcon>=4.0,<5",
        "google-re2>=1.1.20250805,<2",
        "gunicorn>=27,<28",
        "jinja2>=3.1.6,<4",
        "jsonschema-rs>=0.30,<1",
        "keystoneauth1>=5.8",
        "keystonemiddleware>=10.7",
        "oslo.config>=9.6",
        "oslo.policy>=4.4",
        "prometheus-client>=0.21,<1",
        "psycopg[binary]>=3.2,<4",
        "psycopg2-binary>=2.9.10,<3",
        "python-json-logger>=3.3,<5",
        "python-ulid>=3,<5",
        "PyYAML>=6.0.2,<7",
        "requests>=2.32,<3",
        "rich>=13.9",
        "SQLAlchemy>=2.0.36,<3",
        "sushy>=5.2",
        "urllib3>=2",
    ],
    # What a driver needs beyond the service itself. libvirt-python is source only: it is built against libvirt-dev.
    extras_require={
        "redfish": ["sushy>=5.2"],
        "ipmi": ["pyghmi>=1.6,<2"],
        "libvirt": ["libvirt-python>=9"],
        "ironic": ["openstacksdk>=4"],
        "kubernetes": ["kubernetes>=37"],
    },
    entry_points={
        "console_scripts": [
            "drydock=drydock.cli.main:main",
            "drydock-api=drydock.serve:main",
            "drydock-worker=drydock.worker:main",
            "drydock-manage=drydock.manage:main",
            "drydock-simulator=drydock.simulator.main:main",
        ],
        "oslo.config.opts": ["drydock=drydock.conf:list_opts"],
        "oslo.policy.policies": ["drydock=drydock.api.policy_rules:list_rules"],
        "drydock.oob_drivers": [
            "ipmi=drydock.drivers.oob.ipmi:IpmiDriver.from_options",
            "libvirt=drydock.drivers.oob.libvirt:LibvirtDriver.from_options",
            "manual=drydock.drivers.oob.manual:ManualDriver.from_options",
            "redfish=drydock.drivers.oob.redfish:RedfishDriver.from_options",
        ],
        "drydock.driver_options": [
            "ipmi=drydock.conf.drivers:IPMI_OPTS",
            "libvirt=drydock.conf.drivers:LIBVIRT_OPTS",
            "ironic=drydock.conf.ironic:IRONIC_OPTS",
            "kubernetes=drydock.conf.drivers:KUBERNETES_OPTS",
            "promenade=drydock.conf.drivers:PROMENADE_OPTS",
            "redfish=drydock.conf.drivers:REDFISH_OPTS",
            "simulated=drydock.conf.drivers:SIMULATED_OPTS",
        ],
        "drydock.label_drivers": [
            "kubernetes=drydock.drivers.labels.kubernetes:KubernetesLabels.from_options",
            "promenade=drydock.drivers.labels.promenade:PromenadeLabels.from_options",
        ],
        "drydock.node_drivers": [
            "ironic=drydock.drivers.node.ironic.driver:IronicProvisioner.from_options",
            "simulated=drydock.drivers.node.simulated:SimulatedProvisioner.from_options",
        ],
    },
)
