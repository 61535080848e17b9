"""The Ansible inventory and the environment that fit a running lab."""

from dataclasses import dataclass, field
from typing import Any

from .aws.account import KEY_NAME
from .credentials import ADMIN_PASSWORD, NODE_PASSWORD, WEB_PASSWORD, WEB_USERNAME
from .network import CONTROLLER, DOMAIN, REGION
from .seeds import GROUP_BY_HAND, MANAGER, OVERFLOW, VERSION
from .simulation import Simulation

DEPLOYMENTS = ("private", "public", "hybrid")


@dataclass(frozen=True)
class Fleet:
    """What an inventory says of the nodes: name, location and subnet (0 for a, 1 for b) of each, and of bursting.

    :param overflow: nodes for bursting
    :param bursting: overflow location by primary location
    :param variables: more that the seed needs, for all hosts; ``hosts`` the same for single ones
    """

    always_on: tuple[tuple[str, str, int], ...]
    overflow: tuple[tuple[str, str, int], ...] = ()
    bursting: dict[str, str] = field(default_factory=dict)
    locations: tuple[str, ...] = ("London", "Oslo")
    on_premises: bool = False
    variables: dict[str, Any] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)


_PAIR = (("conf01", "London", 0), ("conf02", "Oslo", 1))
DECLARED = Fleet((("conf01", "London", 0), ("conf02", "London", 0), ("conf03", "Oslo", 1), ("conf04", "Oslo", 1)))
SEEDED = {
    "nodes": Fleet(_PAIR, on_premises=True),
    "bursting": Fleet(
        _PAIR,
        overflow=(("burst01", OVERFLOW, 0), ("burst02", OVERFLOW, 0)),
        bursting={"London": OVERFLOW, "Oslo": OVERFLOW},
        locations=("London", "Oslo", OVERFLOW),
    ),
    "by-hand": Fleet(
        _PAIR,
        overflow=tuple((f"burst0{number}", OVERFLOW, int(number in (3, 4))) for number in range(1, 6)),
        bursting={"London": OVERFLOW, "Oslo": OVERFLOW, "HQ": OVERFLOW},
        locations=("London", "Oslo", "HQ", OVERFLOW),
        on_premises=True,
        variables={
            "pexip_deployment": "hybrid",  # there is a node at HQ, and a public one beside the private ones
            "pexip_adopt": True,
            "pexip_security_groups": {"nodes": GROUP_BY_HAND},
        },
        hosts={"conf01": {"pexip_public_address": "dynamic"}},
    ),
}


def environment(lab: Simulation) -> dict[str, str]:
    """What ``pexip-lab env`` exports."""
    network, account = lab.network, lab.account
    variables: dict[str, object] = {
        "AWS_ENDPOINT_URL": network.endpoint,
        "AWS_ACCESS_KEY_ID": account.access_key,
        "AWS_SECRET_ACCESS_KEY": account.secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "PEXIP_USERNAME": WEB_USERNAME,
        "PEXIP_PASSWORD": WEB_PASSWORD,
        "PEXIP_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "PEXIP_NODE_PASSWORD": NODE_PASSWORD,
        "LAB_AWS_ENDPOINT": network.endpoint,
        "LAB_NETWORK": network.vpc,
        "LAB_SSH_PORT": network.ssh_port,
        "LAB_API_PORT": network.api_port,
        "LAB_BOOTSTRAP_PORT": network.bootstrap_port,
        "LAB_SUBNET_A": account.subnet_ids[0],
        "LAB_SUBNET_B": account.subnet_ids[1],
        "LAB_KEY_NAME": KEY_NAME,
        "LAB_KEY_FILE": account.key_file,
    }
    if lab.seeded is not None:
        variables |= {
            "PEXIP_HOST": lab.seeded.hardware.address,
            "PEXIP_PORT": network.api_port,
            "PEXIP_TLS_FINGERPRINT": lab.seeded.fingerprint,
        }
    return {name: str(value) for name, value in variables.items()}


def inventory(lab: Simulation, deployment: str | None = None) -> dict[str, Any]:
    """An inventory with the variables of the collection, as data for YAML.

    :param deployment: private, public or hybrid; by default what the seed is
    :raises ValueError: no such deployment, or a hybrid one without a Management Node on premises
    """
    on_premises = lab.seeded is not None and lab.seeded.hardware.instance_type is None
    deployment = deployment or ("hybrid" if on_premises else "private")
    if deployment not in DEPLOYMENTS:
        raise ValueError(f"no deployment {deployment!r}; there are {', '.join(DEPLOYMENTS)}")
    if (deployment == "hybrid") != on_premises:
        raise ValueError("the deployment hybrid goes with the seed hybrid (a Management Node on premises) alone")
    fleet = SEEDED.get(lab.settings.seed or "", DECLARED)
    return {
        "all": {
            "vars": _shared(lab, deployment, fleet),
            "children": {
                "pexip_management": {"hosts": {MANAGER: _public(deployment, "elastic")}},
                "pexip_nodes": {
                    "children": {
                        "pexip_always_on": {"hosts": _nodes(lab, deployment, fleet, fleet.always_on)},
                        "pexip_overflow": {"hosts": _nodes(lab, deployment, fleet, fleet.overflow)},
                    }
                },
            },
        }
    }


def _shared(lab: Simulation, deployment: str, fleet: Fleet) -> dict[str, Any]:
    network = lab.network
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "pexip_deployment": deployment,
        "pexip_version": VERSION,
        "pexip_region": REGION,
        "pexip_subnet_id": lab.account.subnet_ids[0],
        "pexip_key_name": KEY_NAME,
        "pexip_private_key_file": str(lab.account.key_file),
        "pexip_management_cidrs": [f"{CONTROLLER}/32"],
        "pexip_ssh_port": network.ssh_port,
        "pexip_port": network.api_port,
        "pexip_bootstrap_port": network.bootstrap_port,
        "pexip_domain": DOMAIN,
        "pexip_dns_servers": [network.resolver],
        "pexip_ntp_servers": [network.resolver],
        "pexip_locations": [{"name": name} for name in fleet.locations],
        "pexip_username": WEB_USERNAME,
        "pexip_password": _from_environment("PEXIP_PASSWORD"),
        "pexip_admin_password": _from_environment("PEXIP_ADMIN_PASSWORD"),
        "pexip_node_password": _from_environment("PEXIP_NODE_PASSWORD"),
        "pexip_poll_interval": 1,
    }
    if deployment == "public":
        variables["pexip_connect_via"] = "public"
    if fleet.bursting:
        variables |= {
            "pexip_overflow": fleet.bursting,
            "pexip_bursting_threshold": 5,
            "pexip_bursting_min_lifetime": 50,
        }
    if deployment == "hybrid" or fleet.on_premises:
        variables["pexip_peer_cidrs"] = [str(network.on_premises)]
    if lab.seeded is not None:
        variables["pexip_host"] = lab.seeded.hardware.address
        variables["pexip_tls_fingerprint"] = lab.seeded.fingerprint
    return variables | fleet.variables


def _nodes(lab: Simulation, deployment: str, fleet: Fleet, nodes: tuple[tuple[str, str, int], ...]) -> dict[str, Any]:
    return {
        name: {"pexip_location": location, "pexip_subnet_id": lab.account.subnet_ids[subnet]}
        | _public(deployment, "dynamic" if location == "Oslo" else "elastic")
        | fleet.hosts.get(name, {})
        for name, location, subnet in nodes
    }


def _public(deployment: str, kind: str) -> dict[str, str]:
    return {"pexip_public_address": kind} if deployment == "public" else {}


def _from_environment(name: str) -> str:
    return f"{{{{ lookup('ansible.builtin.env', '{name}') }}}}"
