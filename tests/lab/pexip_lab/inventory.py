"""The Ansible inventory and the environment that fit a running lab."""

from typing import Any

from .aws.account import KEY_NAME
from .credentials import ADMIN_PASSWORD, NODE_PASSWORD, WEB_PASSWORD, WEB_USERNAME
from .network import CONTROLLER, DOMAIN, REGION
from .seeds import MANAGER, VERSION
from .simulation import Simulation

DEPLOYMENTS = ("private", "public", "hybrid")
# name, location, subnet
NODES = (("conf01", "London", 0), ("conf02", "London", 0), ("conf03", "Oslo", 1), ("conf04", "Oslo", 1))
SEEDED_NODES = (("conf01", "London", 0), ("conf02", "Oslo", 1))
LOCATIONS = ("London", "Oslo")


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
    return {
        "all": {
            "vars": _shared(lab, deployment),
            "children": {
                "pexip_management": {"hosts": {MANAGER: _public(deployment, "elastic")}},
                "pexip_nodes": {
                    "children": {
                        "pexip_always_on": {"hosts": _nodes(lab, deployment)},
                        "pexip_overflow": {"hosts": {}},
                    }
                },
            },
        }
    }


def _shared(lab: Simulation, deployment: str) -> dict[str, Any]:
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
        "pexip_locations": [{"name": name} for name in LOCATIONS],
        "pexip_username": WEB_USERNAME,
        "pexip_password": _from_environment("PEXIP_PASSWORD"),
        "pexip_admin_password": _from_environment("PEXIP_ADMIN_PASSWORD"),
        "pexip_node_password": _from_environment("PEXIP_NODE_PASSWORD"),
        "pexip_poll_interval": 1,
    }
    if deployment == "public":
        variables["pexip_connect_via"] = "private"
    if deployment == "hybrid":
        variables["pexip_peer_cidrs"] = [str(network.on_premises)]
    if lab.seeded is not None:
        variables["pexip_host"] = lab.seeded.hardware.address
        variables["pexip_tls_fingerprint"] = lab.seeded.fingerprint
    if lab.settings.seed == "nodes":
        variables["pexip_peer_cidrs"] = [str(network.on_premises)]
    return variables


def _nodes(lab: Simulation, deployment: str) -> dict[str, Any]:
    chosen = SEEDED_NODES if lab.settings.seed == "nodes" else NODES
    return {
        name: {"pexip_location": location, "pexip_subnet_id": lab.account.subnet_ids[subnet]}
        | _public(deployment, "elastic" if location == "London" else "dynamic")
        for name, location, subnet in chosen
    }


def _public(deployment: str, kind: str) -> dict[str, str]:
    return {"pexip_public_address": kind} if deployment == "public" else {}


def _from_environment(name: str) -> str:
    return f"{{{{ lookup('ansible.builtin.env', '{name}') }}}}"
