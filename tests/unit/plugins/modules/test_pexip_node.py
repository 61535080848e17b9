# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pexip_node as Ansible runs it: module, action plugin and connection together. What it does is in test_registration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ansible_collections.pexip.infinity.plugins.modules import pexip_node
from ansible_collections.pexip.infinity.tests.unit.support import PASSWORD, Memory, Reply, free_port

ANSIBLE = Path(sys.executable).parent / "ansible"
NODE_PASSWORD = "node-Secret#7"


@pytest.fixture
def api(serve):
    """A platform with a location and no node."""
    defaults = {
        field.name: [] if field.is_list else field.default for field in pexip_node.NODE.fields if field.readable
    }
    memory = Memory(
        {"system_location": [{"name": "London"}], "worker_vm": []},
        status={"worker_vm": []},
        defaults={"worker_vm": defaults},
        documents=("worker_vm",),
    )
    return serve(memory)


def test_a_new_node_is_waited_for_with_progress_registered_and_given_its_document(api, serve, tmp_path):
    port = free_port()
    served = {}

    def boot():
        """The instance's listener comes up after the module has looked for it once, and begun to look again."""
        while len([line for line in api.lines if "system_location" in line]) < 2:
            looked.wait(0.05)
        served["listener"] = serve(lambda request: Reply(200, "accepted"), port=port)

    looked = threading.Event()
    instance = threading.Thread(target=boot)
    instance.start()
    options = {
        "name": "conf01",
        "hostname": "conf01",
        "domain": "example.com",
        "address": "172.31.1.10",
        "subnet": "172.31.0.0/20",
        "system_location": "London",
        "node_password": NODE_PASSWORD,
        "snmp_community": "public",
        "bootstrap": {"host": "127.0.0.1", "port": port, "poll_interval": 1, "timeout": 60},
    }
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path),
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "PEXIP_HOST": "127.0.0.1",
        "PEXIP_PORT": str(api.port),
        "PEXIP_PASSWORD": PASSWORD,
        "PEXIP_TLS_FINGERPRINT": api.fingerprint,
    }
    command = [str(ANSIBLE), "localhost", "-vvvv", "-m", "pexip.infinity.pexip_node", "-a", json.dumps(options)]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )
    instance.join()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"conf01: nothing accepts TLS connections at 127.0.0.1:{port} yet" in ended.stdout
    assert '"changed": true' in ended.stdout
    [document] = [request.body.decode() for request in served["listener"].requests]
    assert document.startswith("<?xml")
    assert api.writes == ["POST worker_vm/"]
    output = ended.stdout + ended.stderr + (tmp_path / "log").read_text()
    assert not [secret for secret in (PASSWORD, NODE_PASSWORD, "Zürich") if secret in output]
