"""What API and worker are both made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oslo_config import cfg

from drydock.auth.service_session import service_session
from drydock.bootaction.template_limits import TemplateLimits
from drydock.conf import boot_secrets
from drydock.conf.design import token_hosts
from drydock.conf.driver_options import driver_options
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.design.loader import DesignLoader
from drydock.drivers.node.base import NodeProvisioner
from drydock.drivers.registry import load_node_provisioner
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.images import ImageCatalogue
from drydock.references.reference_cache import ReferenceCache
from drydock.references.references import References, reference_retries
from drydock.references.service_token import NoTokens, ServiceTokens, TokenSource


@dataclass(frozen=True, slots=True)
class Shared:
    """``references`` fetches for designs and for assets."""

    database: Database
    designs: DesignService
    references: References
    provisioner: NodeProvisioner


def build_shared(conf: cfg.ConfigOpts, *, pool_size: int, application_name: str) -> Shared:
    engine = connect(
        conf.database.url,
        pool_size=pool_size,
        max_overflow=conf.database.max_overflow,
        application_name=application_name,
    )
    database = Database(engine)

    def read_snapshot(digest: str) -> bytes:
        with database.unit_of_work() as uow:
            content = uow.designs.content(digest)
            uow.commit()
        return content

    references = _references(conf, read_snapshot)
    provisioner = load_node_provisioner(conf.drivers.node, _provisioner_options(conf))
    images = ImageCatalogue(provisioner, seconds=conf.design.images_seconds, patience=conf.design.images_patience)
    return Shared(
        database=database,
        designs=DesignService(database, DesignLoader(references, cache_size=conf.design.cache_size), images),
        references=references,
        provisioner=provisioner,
    )


def _provisioner_options(conf: cfg.ConfigOpts) -> Mapping[str, Any]:
    """With the key of the digests that it keeps in Ironic, where it is that driver."""
    options = driver_options(conf, conf.drivers.node)
    return {**options, "digest_key": boot_secrets(conf)[0]} if conf.drivers.node == "ironic" else options


def _references(conf: cfg.ConfigOpts, read_snapshot: Callable[[str], bytes]) -> References:
    options = conf.references
    session = service_session(conf)
    tokens: TokenSource = NoTokens() if session is None else ServiceTokens(session, hosts=token_hosts(conf))
    return References(
        allowed_schemes=options.allowed_schemes,
        allowed_hosts=options.allowed_hosts,
        allowed_addresses=options.allowed_addresses,
        file_roots=options.file_roots,
        max_bytes=options.max_bytes,
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        ca_file=options.ca_file,
        read_snapshot=read_snapshot,
        tokens=tokens,
        retries=reference_retries(times=options.retries, pause=options.retry_pause),
        cache=ReferenceCache(seconds=options.cache_seconds, max_bytes=options.cache_bytes),
    )


def template_limits(conf: cfg.ConfigOpts) -> TemplateLimits:
    return TemplateLimits(
        max_bytes=conf.bootaction.template_max_bytes, max_seconds=conf.bootaction.template_max_seconds
    )


def with_slash(url: str) -> str:
    return url if url.endswith("/") else url + "/"
