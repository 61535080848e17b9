#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First login and installation wizard of a new Management Node."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_installation
short_description: Install a new Management Node through its first SSH login and installation wizard
description:
  - Takes a newly launched Management Node to a working management API. It logs in over SSH, sets the UNIX password, logs
    in again, answers the installation wizard and waits until the management API answers after the reboot.
  - A Management Node whose API accepts O(username) and O(password) is installed already. Then nothing is changed and
    nobody logs in over SSH. An API that refuses them is an error, never a reason to try SSH.
  - States half-way are taken up. After a password change that was not followed by the wizard, or a wizard that was
    interrupted, run the task again with the same options.
  - The wizard's questions are recognized by their subject, so their order and exact words may differ between versions.
    A question that is not known, and an answer that is refused, end the task with an error that shows the last lines of
    the dialogue with all secrets masked.
  - The OpenSSH client of the controller is used, so F(~/.ssh/config), jump hosts and agents work as they do by hand.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes
attributes:
  diff_mode:
    support: none
    details:
      - An installation has nothing to compare.
requirements:
  - requests >= 2.31
  - pexpect >= 4.9
  - the OpenSSH client (C(ssh), 7.6 or newer)
notes:
  - The task runs where the OpenSSH client, the private key and a way to the Management Node are. That is commonly the
    controller, with C(connection=local) or C(delegate_to=localhost).
  - O(username) and O(password) are the web administration user and password; the wizard sets them. O(admin_password) is
    the UNIX password of the user O(ssh_user); both may be the same.
  - In check mode nobody logs in over SSH and nothing is waited for. Only the API is asked; without an answer the task
    reports that it would install. O(host) may then be empty.
  - The hostname, domain and addresses of a Management Node cannot be changed after the installation. When an installed
    one differs from the options given, the task fails and names the differences.
options:
  ssh_port:
    description:
      - TCP port of the SSH server.
    type: int
    default: 22
  ssh_user:
    description:
      - User to log in as.
    type: str
    default: admin
  private_key_file:
    description:
      - Private half of the key pair that the instance was launched with. OpenSSH wants that nobody else can read it (mode
        0400).
      - Left out, the keys of the agent, of F(~/.ssh/config) and the standard ones are tried.
    type: path
  private_key_passphrase:
    description:
      - Passphrase of the private key, given to the OpenSSH client when it asks.
      - Left out, the key has none or an agent holds it.
    type: str
  known_hosts:
    description:
      - File that holds the host keys of this platform. It is made with mode 0600, with its directory, when it is missing.
      - Addresses are used again by later instances, so keep a file per platform. A host key that differs from the one in
        the file is an error.
      - Left out, the OpenSSH client's own files are used.
    type: path
  host_key_checking:
    description:
      - V(accept-new) takes the host key of a machine that is not in the file yet, and adds it.
      - V(yes) takes only keys that are in the file.
    type: str
    choices: [accept-new, "yes"]
    default: accept-new
  ssh_extra_args:
    description:
      - Further arguments of the C(ssh) command, one an item, such as V(-J) and V(jump.example.com).
    type: list
    elements: str
    default: []
  admin_password:
    description:
      - UNIX password of O(ssh_user). It is set at the first login, and given to C(sudo) where the wizard starts.
      - Where a password has been set before, give that one.
    type: str
    required: true
  hostname:
    description:
      - Host name of the Management Node, without domain.
    type: str
    required: true
  domain:
    description:
      - Domain suffix of the Management Node.
    type: str
    required: true
  address:
    description:
      - IPv4 address of the Management Node. Left out, the wizard's default is taken, which in AWS is the private address
        of the instance.
    type: str
  netmask:
    description:
      - Network mask, such as V(255.255.240.0). Left out, the wizard's default is taken.
    type: str
  gateway:
    description:
      - IPv4 address of the default gateway. Left out, the wizard's default is taken.
    type: str
  dns_servers:
    description:
      - IP addresses of the DNS servers, at least one. Left out, the wizard's defaults are taken, which are public
        addresses; an instance without a public address cannot reach them.
    type: list
    elements: str
  ntp_servers:
    description:
      - Addresses or names of the NTP servers, at least one. The wizard fails where it cannot resolve and reach them.
      - Left out, the wizard's defaults are taken, which are public, as with O(dns_servers).
    type: list
    elements: str
  incident_reporting:
    description:
      - Whether incident reports are sent to Pexip. Needs O(contact_email_address).
    type: bool
    default: false
  contact_email_address:
    description:
      - Whom Pexip may ask about an incident report, for versions whose wizard wants to know.
    type: str
  usage_statistics:
    description:
      - Whether deployment and usage statistics are sent to Pexip.
    type: bool
    default: false
  tls_pin:
    description:
      - What to do about the self-signed certificate of a new Management Node when neither O(tls_fingerprint) nor
        O(ca_path) is given.
      - V(first_use) trusts the certificate that is presented and returns its SHA-256 fingerprint. Pass it as
        O(tls_fingerprint) from then on.
      - V(verify) verifies it as O(validate_certs) says. Only a certificate that shows up after this very task has
        completed the wizard is then trusted at first use.
    type: str
    choices: [first_use, verify]
    default: verify
  wait_timeout:
    description:
      - Seconds to wait for the SSH server, and for the API after the reboot, all in all.
    type: int
    default: 1800
  refusal_timeout:
    description:
      - Seconds for which the machine may go on refusing the private key (C(Permission denied)) before the task fails.
        A new instance does so for a moment, when its SSH server is up and its key pair not there yet.
    type: int
    default: 120
  poll_interval:
    description:
      - Seconds between two looks at the machine.
    type: int
    default: 5
  wizard_completed:
    description:
      - The wizard was completed just now, so that only the API is waited for and nobody logs in over SSH.
      - The task sets it by itself while the Management Node reboots. There is hardly a reason to set it by hand.
    type: bool
    default: false
seealso:
  - module: amazon.aws.ec2_instance
  - module: pexip.infinity.pexip_node
"""

EXAMPLES = r"""
- name: Install the Management Node
  pexip.infinity.pexip_installation:
    host: 172.31.0.10
    username: admin
    password: "{{ pexip_password }}"
    tls_pin: first_use
    private_key_file: ~/.ssh/my-key-pair.pem
    known_hosts: ~/.config/pexip/emea.known_hosts
    admin_password: "{{ pexip_admin_password }}"
    hostname: manager
    domain: example.com
    dns_servers: [172.31.0.2]
    ntp_servers: [172.31.0.3, ntp.example.com]
  register: manager

- name: Talk to it with its certificate pinned
  pexip.infinity.pexip_global_settings:
    host: 172.31.0.10
    password: "{{ pexip_password }}"
    tls_fingerprint: "{{ manager.installation.tls_fingerprint }}"
    enable_chat: false

- name: Install one behind a jump host, with a key that has a passphrase
  pexip.infinity.pexip_installation:
    host: 172.31.0.10
    password: "{{ pexip_password }}"
    private_key_file: ~/.ssh/my-key-pair.pem
    private_key_passphrase: "{{ key_passphrase }}"
    ssh_extra_args: ["-J", "operator@jump.example.com"]
    admin_password: "{{ pexip_admin_password }}"
    hostname: manager
    domain: example.com
    dns_servers: [172.31.0.2]
    ntp_servers: [172.31.0.3]
    incident_reporting: true
    contact_email_address: operator@example.com
"""

RETURN = r"""
installation:
  description: What is known of the Management Node. In check mode, and when the time is up, values may be null.
  returned: on success, and when the time is up
  type: dict
  contains:
    state:
      description:
        - V(installed) when the API answers; V(absent) in check mode when it would be installed.
        - After a time-out V(booting) (no SSH login), V(refused) (it does not take the private key), V(installing) (lost
          in the midst of the wizard), V(rebooting) (the wizard is complete) or V(starting) (it seems installed, and its
          API does not answer).
      type: str
      sample: installed
    hostname:
      description: Host name, as the platform has it.
      type: str
      sample: manager
    domain:
      description: Domain suffix.
      type: str
      sample: example.com
    address:
      description: The Management Node's own address.
      type: str
      sample: 172.31.0.10
    version:
      description: Version of the software.
      type: str
      sample: 11.0.0 (26902.0.0)
    tls_fingerprint:
      description: SHA-256 fingerprint of the certificate that the API presents, in hexadecimal digits.
      type: str
      sample: 5f2ad1e4a1b1c5e0f4f2cb1f0a7a70a2b8b3a6f3b9a9d0f4c1e2a3b4c5d6e7f8
complete:
  description: Whether the Management Node is installed and its API answers.
  returned: on success, and when the time is up
  type: bool
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.installation import Task, look, option_problems
from ansible_collections.pexip.infinity.plugins.module_utils.installation_dialogue import Answers
from ansible_collections.pexip.infinity.plugins.module_utils.module import InfinityModule
from ansible_collections.pexip.infinity.plugins.module_utils.ssh_channel import (
    PEXPECT_IMPORT_ERROR,
    InstallationError,
    Login,
)

OPTIONS = {
    "ssh_port": {"type": "int", "default": 22},
    "ssh_user": {"type": "str", "default": "admin"},
    "private_key_file": {"type": "path", "no_log": False},
    "private_key_passphrase": {"type": "str", "no_log": True},
    "known_hosts": {"type": "path"},
    "host_key_checking": {"type": "str", "choices": ["accept-new", "yes"], "default": "accept-new", "no_log": False},
    "ssh_extra_args": {"type": "list", "elements": "str", "default": []},
    "admin_password": {"type": "str", "required": True, "no_log": True},
    "hostname": {"type": "str", "required": True},
    "domain": {"type": "str", "required": True},
    "address": {"type": "str"},
    "netmask": {"type": "str"},
    "gateway": {"type": "str"},
    "dns_servers": {"type": "list", "elements": "str"},
    "ntp_servers": {"type": "list", "elements": "str"},
    "incident_reporting": {"type": "bool", "default": False},
    "contact_email_address": {"type": "str"},
    "usage_statistics": {"type": "bool", "default": False},
    "tls_pin": {"type": "str", "choices": ["first_use", "verify"], "default": "verify"},
    "wait_timeout": {"type": "int", "default": 1800},
    "refusal_timeout": {"type": "int", "default": 120},
    "poll_interval": {"type": "int", "default": 5},
    "wizard_completed": {"type": "bool", "default": False},
}
ANSWERS = [
    "hostname",
    "domain",
    "dns_servers",
    "ntp_servers",
    "admin_password",
    "address",
    "netmask",
    "gateway",
    "incident_reporting",
    "contact_email_address",
    "usage_statistics",
]


def task_of(module: InfinityModule) -> Task:
    """The task that the options describe; raises PexipError that names every bad option."""
    given = module.params
    problems = option_problems(given)
    if problems:
        raise PexipError("; ".join(problems))
    connection = module.connection()
    if not connection.host and not module.check:
        raise PexipError("host is required: the address of the Management Node (or PEXIP_HOST)")
    login = Login(
        host=connection.host,
        port=given["ssh_port"],
        user=given["ssh_user"],
        private_key_file=given["private_key_file"],
        known_hosts=given["known_hosts"],
        host_key_checking=given["host_key_checking"],
        extra_args=given["ssh_extra_args"],
    )
    answers = Answers(
        web_username=given["username"],
        web_password=given["password"],
        key_passphrase=given["private_key_passphrase"],
        **{name: given[name] for name in ANSWERS},
    )
    return Task(connection, login, answers, given["tls_pin"], given["wizard_completed"])


def main() -> None:
    """Entry point of the module."""
    module = InfinityModule(OPTIONS)
    if PEXPECT_IMPORT_ERROR:
        module.ansible.fail_json(msg=missing_required_lib("pexpect"), exception=PEXPECT_IMPORT_ERROR)
    try:
        result = look(task_of(module), check=module.check).result()
    except PexipError as error:
        module.fail(error)
    except InstallationError as error:
        module.ansible.fail_json(msg=str(error), changed=error.changed)
    module.exit(**result)


if __name__ == "__main__":
    main()
