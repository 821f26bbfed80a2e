"""The action prepare_site: resolve_design → check_design → prepare_site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from drydock.drivers.node.base import ProvisionedSite
from drydock.model.actions import Action
from drydock.model.network import Network, NetworkLink
from drydock.model.site import Region, Repository, SiteDesign
from drydock.model.task import Lane
from drydock.orchestrator.workflows.outcome import Outcome
from drydock.orchestrator.workflows.planner import check_design, resolve_design
from drydock.orchestrator.workflows.workflow import Step, StepContext, Workflow


def prepare_site(ctx: StepContext) -> Outcome:
    site = provisioned_site(ctx.site)
    done = f"{len(site.networks)} networks, {len(site.links)} links and {len(site.tags)} tags are in place"
    return ctx.follow(ctx.services.provisioner.prepare_site(site), done)


def provisioned_site(site: SiteDesign) -> ProvisionedSite:
    """What all nodes of a site share, for its provisioner."""
    region = site.region or Region("")
    return ProvisionedSite(
        networks={network.name: _network(network) for network in site.networks.values()},
        links={link.name: _link(link) for link in site.network_links.values()},
        tags={tag.tag: {"type": tag.type, "definition": tag.definition} for tag in region.tag_definitions},
        repositories=None
        if region.repositories is None
        else {repository.name: _repository(repository) for repository in region.repositories},
        remove_unlisted=region.remove_unlisted,
        authorized_keys=region.authorized_keys,
    )


def _network(network: Network) -> Mapping[str, Any]:
    return {
        "cidr": network.cidr,
        "vlan": network.vlan,
        "mtu": network.mtu,
        "routedomain": network.routedomain,
        "gateway": network.default_gateway,
        "dns_domain": network.dns_domain,
        "dns_servers": network.dns_servers,
        "ranges": [asdict(addresses) for addresses in network.ranges],
        "dhcp_relay": {
            "self_ip": network.dhcp_relay_self_ip,
            "upstream_target": network.dhcp_relay_upstream_target,
        },
    }


def _link(link: NetworkLink) -> Mapping[str, Any]:
    return {
        "mtu": link.mtu,
        "trunk_mode": str(link.trunk_mode),
        "native_network": link.native_network,
        "networks": list(link.allowed_networks),
        "labels": dict(link.labels),
    }


def _repository(repository: Repository) -> Mapping[str, Any]:
    """Without what the design does not say."""
    described = {
        "url": repository.url,
        "repo_type": repository.repo_type,
        "gpgkey": repository.gpgkey,
        "distributions": repository.distributions,
        "subrepos": repository.subrepos,
        "components": repository.components,
        "arches": repository.arches,
        "options": None if repository.options is None else dict(repository.options),
    }
    return {key: value for key, value in described.items() if value is not None}


PREPARE_SITE = Workflow(
    Action.PREPARE_SITE,
    (
        Step("resolve_design", resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
        Step("prepare_site", prepare_site, timeout="prepare_site", lane=Lane.TASK),
    ),
)
