# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the connection to the Management Node's API, shared by every module and by the inventory plugin."""

from __future__ import annotations

import re


class ModuleDocFragment:
    """C(extends_documentation_fragment: pexip.infinity.connection), and C(.plugin) for plugins that are no modules."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - Host name or IP address of the Management Node.
      - Left out, the environment variable E(PEXIP_HOST) is taken.
      - May be empty in check mode only, when there is no Management Node yet. The plan is then against an empty platform.
    type: str
  port:
    description:
      - TCP port of the Management Node's web server.
      - Left out, the environment variable E(PEXIP_PORT) is taken.
    type: int
    default: 443
  username:
    description:
      - Name of the web administration user.
      - Left out, the environment variable E(PEXIP_USERNAME) is taken.
    type: str
    default: admin
  password:
    description:
      - Password of O(username).
      - Left out, the environment variable E(PEXIP_PASSWORD) is taken.
    type: str
  validate_certs:
    description:
      - Whether the certificate of the Management Node is verified.
      - Turning this off lets anybody on the way read the password. Pin O(tls_fingerprint) instead where there is no CA.
      - Left out, the environment variable E(PEXIP_VALIDATE_CERTS) is taken.
    type: bool
    default: true
  ca_path:
    description:
      - File or directory with the certificates of the CAs to trust instead of those that the controller's system trusts.
      - Left out, the environment variable E(PEXIP_CA_PATH) is taken. The variables of other tools, such as
        E(REQUESTS_CA_BUNDLE), are not looked at.
    type: path
  tls_fingerprint:
    description:
      - SHA-256 fingerprint, in hexadecimal digits with or without colons, of the only certificate that is accepted.
      - It takes the place of the verification by CA. A new Management Node has a self-signed certificate, and
        M(pexip.infinity.pexip_installation) returns its fingerprint.
      - Left out, the environment variable E(PEXIP_TLS_FINGERPRINT) is taken.
    type: str
  timeout:
    description:
      - Seconds that one request may take to connect, and then to answer.
      - Left out, the environment variable E(PEXIP_TIMEOUT) is taken.
    type: int
    default: 30
"""


# A plugin reads its environment by what its documentation says; a module's documentation has no place for that.
# Outside of the class, where linters take every attribute for plain YAML.
ModuleDocFragment.PLUGIN = re.sub(
    r"^  (\w+):\n",
    lambda option: f"{option[0]}    env: [{{name: PEXIP_{option[1].upper()}}}]\n",
    re.sub(r"^ +- May be empty in check mode.*\n", "", ModuleDocFragment.DOCUMENTATION, flags=re.MULTILINE),
    flags=re.MULTILINE,
)
