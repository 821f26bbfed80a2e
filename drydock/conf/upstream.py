"""Options of upstream Drydock and their equivalents here, for operators who bring its configuration file."""

from __future__ import annotations

from collections.abc import Mapping

_NO_MAAS = "there is no MAAS driver here: [drivers] node names the provisioner"
_LOGGERS = "loggers have fixed names here; [DEFAULT] debug says how much is logged"
_LEADER = "nothing here: every worker works; see [orchestrator] lease_seconds"
_CHECKED = "nothing here: connections are checked and renewed in any case"
_TOKENS = "nothing here: tokens of the kind that needed it are gone"

#: By (group, option): what to set instead, or why nothing.
INSTEAD: Mapping[tuple[str, str], str] = {
    ("DEFAULT", "poll_interval"): "here it is [orchestrator] poll_interval, and observe_interval for machines",
    ("DEFAULT", "leader_grace_period"): _LEADER,
    ("DEFAULT", "leadership_claim_interval"): _LEADER,
    ("bootactions", "report_url"): "here it is [bootaction] report_url",
    ("bootdata", "prom_init"): "nothing here: a boot action of the design brings such a script",
    ("database", "connection_recycle"): _CHECKED,
    ("database", "database_connect_string"): "here it is [database] url",
    ("database", "pool_overflow"): "here it is [database] max_overflow",
    ("database", "pool_pre_ping"): _CHECKED,
    ("database", "pool_timeout"): "nothing here: a request waits 10 seconds for a connection",
    ("keystone_authtoken", "auth_uri"): "here it is www_authenticate_uri",
    ("keystone_authtoken", "check_revocations_for_cached"): _TOKENS,
    ("keystone_authtoken", "hash_algorithms"): _TOKENS,
    ("keystone_authtoken", "revocation_cache_time"): _TOKENS,
    ("keystone_authtoken", "signing_dir"): _TOKENS,
    ("libvirt_driver", "poll_interval"): "there is no libvirt driver here: [drivers] oob names those there are",
    ("logging", "log_level"): "here it is [DEFAULT] debug",
    ("logging", "global_logger_name"): _LOGGERS,
    ("logging", "oobdriver_logger_name"): _LOGGERS,
    ("logging", "nodedriver_logger_name"): _LOGGERS,
    ("logging", "kubernetesdriver_logger_name"): _LOGGERS,
    ("logging", "control_logger_name"): _LOGGERS,
    ("maasdriver", "maas_api_key"): _NO_MAAS,
    ("maasdriver", "maas_api_url"): _NO_MAAS,
    ("maasdriver", "poll_interval"): _NO_MAAS,
    ("maasdriver", "skip_bmc_config"): _NO_MAAS,
    ("maasdriver", "use_node_oob_params"): _NO_MAAS,
    ("network", "http_client_connect_timeout"): "here it is [references] connect_timeout",
    ("network", "http_client_read_timeout"): "here it is [references] read_timeout",
    ("network", "http_client_retries"): "here it is [references] retries",
    ("plugins", "ingester"): "nothing here: designs are always YAML",
    ("plugins", "kubernetes_driver"): "here it is [drivers] labels, which takes a short name",
    ("plugins", "network_driver"): "nothing here",
    ("plugins", "node_driver"): "here it is [drivers] node, which takes a short name",
    ("plugins", "oob_driver"): "here it is [drivers] oob, which takes short names such as redfish",
    ("pyghmi_driver", "poll_interval"): "there is no IPMI driver here: [drivers] oob names those there are",
    ("redfish_driver", "max_retries"): "here it is [redfish] timeout, in seconds",
    ("redfish_driver", "power_state_change_max_retries"): "here it is [timeouts] power, in minutes",
    ("redfish_driver", "power_state_change_retry_interval"): "nothing here; see [timeouts] power",
    ("redfish_driver", "use_ssl"): "here it is the scheme of [redfish] endpoint",
    ("timeouts", "configure_user_credentials"): "here it is [timeouts] prepare_site",
    ("timeouts", "create_network_template"): "here it is [timeouts] prepare_site",
    ("timeouts", "drydock_timeout"): "nothing here: each kind of step has its own timeout",
}
