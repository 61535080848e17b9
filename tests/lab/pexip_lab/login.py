"""SSH access to a Management Node: who may log in, and the first two logins (guide: steps 12 to 14)."""

from typing import TYPE_CHECKING

import asyncssh

from .faults.ssh import Dialogue
from .terminal import HungUp, Terminal
from .wizard import Wizard, WizardFailed

if TYPE_CHECKING:
    from .management_node import ManagementNode

USER = "admin"
MINIMUM_PASSWORD = 6  # what passwd asks for
TRIES = 3
WIZARD_DELAY = 5  # lab seconds
APPLY_SECONDS = 30

EXPIRED_BANNER = """\
You are required to change your password immediately (root enforced)

The licence of this software: http://www.pexip.com/Infinity-License

Welcome to PexOS 1.0.0 (GNU/Linux x86_64), as simulated by the test lab
WARNING: Your password has expired.
You must change your password now and login again!"""


class Login(asyncssh.SSHServer):
    """Public keys only: the user admin, with the key pair of the instance."""

    def __init__(self, node: "ManagementNode"):
        self._node = node
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._node.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._node.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        authorized = self._node.authorized_key
        return username == USER and authorized is not None and key.public_data == authorized.public_data


async def session(node: "ManagementNode", process: asyncssh.SSHServerProcess) -> None:
    """Serve one session; it ends with the exit status that a shell would see."""
    terminal = Terminal(process, Dialogue(node.site.faults, process).step)
    try:
        process.exit(await _dialogue(node, terminal, process.get_terminal_type() is not None))
    except (HungUp, OSError):  # OSError: printing to a session that has gone
        process.exit(255)


async def _dialogue(node: "ManagementNode", terminal: Terminal, interactive: bool) -> int:
    if node.unix_password is None:
        return await _first_login(node, terminal, interactive)
    if node.platform.installed:
        terminal.say(f"Pexip Infinity Management Node {node.hardware.version}")
        terminal.say("This node is installed: use its web administration interface or its management API.")
        return 0
    return await _second_login(node, terminal, interactive)


async def _first_login(node: "ManagementNode", terminal: Terminal, interactive: bool) -> int:
    """The forced change of the password; it logs out afterwards."""
    terminal.say(EXPIRED_BANNER)
    if not interactive:
        terminal.say("Password change required but no TTY available.")
        return 1
    for _attempt in range(TRIES):
        password = await terminal.ask_secret("Enter new UNIX password:")
        again = await terminal.ask_secret("Retype new UNIX password:")
        if password != again:
            terminal.say("Sorry, passwords do not match")
        elif not password:
            terminal.say("No password supplied")
        elif len(password) < MINIMUM_PASSWORD:
            terminal.say("You must choose a longer password")
        else:
            node.unix_password = password
            terminal.say("passwd: password updated successfully")
            return 0
    terminal.say("passwd: Authentication token manipulation error")
    terminal.say("passwd: password unchanged")
    return 1


async def _second_login(node: "ManagementNode", terminal: Terminal, interactive: bool) -> int:
    """sudo, then the wizard; a success ends with the loss of the session, as the node reboots."""
    terminal.say("Running Pexip installation wizard...")
    if not interactive:
        terminal.say("sudo: no tty present and no askpass program specified")
        return 1
    for _attempt in range(TRIES):
        if await terminal.ask_secret(f"[sudo] password for {USER}: ") == node.unix_password:
            break
        terminal.say("Sorry, try again.")
    else:
        terminal.say(f"sudo: {TRIES} incorrect password attempts")
        return 1
    await node.site.clock.sleep(WIZARD_DELAY)
    try:
        answers = await Wizard(terminal, node.hardware, node.surroundings).run()
    except WizardFailed as failure:
        terminal.say(f"ERROR: {failure}. The installation has failed; log in again to repeat it.")
        return 1
    terminal.say("Applying the configuration...")
    await node.site.clock.sleep(APPLY_SECONDS)
    await node.install(answers)
    try:
        terminal.say("The installation is complete. The Management Node reboots now.")
    finally:
        node.reboot()  # also if nobody listens any more
    await terminal.lost()
    raise HungUp
