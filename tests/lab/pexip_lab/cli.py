"""The command line ``pexip-lab``."""

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from . import launcher
from .settings import Settings, StateFiles

DEFAULTS = Settings()


def up(options: argparse.Namespace) -> None:
    settings = Settings(options.state, options.seed, options.network, options.base_port, options.time_scale)
    launcher.up(settings)
    seeded = f" with seed {options.seed}" if options.seed else ""
    print(f"The lab is up on {options.network}{seeded}; AWS answers at {settings.addresses.endpoint}.")


def down(options: argparse.Namespace) -> None:
    was_running = launcher.down(_files(options))
    print("The lab is down." if was_running else "No lab was running.")


def status(options: argparse.Namespace) -> None:
    answer = launcher.ask(_files(options), "GET", "/status")
    for title in ("instances", "machines", "nodes"):
        rows = answer.pop(title)
        print(f"{title}:")
        print(_table(rows) if rows else "  none")
    print("  ".join(f"{name}: {value}" for name, value in answer.items() if value is not None))


def env(options: argparse.Namespace) -> None:
    for name, value in launcher.ask(_files(options), "GET", "/env").items():
        print(f"export {name}={shlex.quote(value)}")


def inventory(options: argparse.Namespace) -> None:
    wanted = {"deployment": options.deployment} if options.deployment else {}
    answer = launcher.ask(_files(options), "GET", "/inventory", **wanted)
    print(yaml.safe_dump(answer, sort_keys=False, explicit_start=True, width=120), end="")


def clock_advance(options: argparse.Namespace) -> None:
    print(launcher.ask(_files(options), "POST", "/clock/advance", by=options.duration)["time"])


def requests(options: argparse.Namespace) -> None:
    method, path = ("POST", "/requests/reset") if options.reset else ("GET", "/requests")
    for name, count in launcher.ask(_files(options), method, path).items():
        print(f"{count:7} {name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 and a line on standard error if it fails."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except launcher.LabError as error:
        print(f"pexip-lab: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pexip-lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str, parent: Any = commands) -> Any:
        added = parent.add_parser(name, help=text, description=text)
        added.add_argument("--state", default=DEFAULTS.state_dir, help="state directory (default: %(default)s)")
        added.set_defaults(run=run)
        return added

    start = command("up", up, "Start a lab and wait until it is ready.")
    start.add_argument("--seed", help="the state to start in (default: an empty account)")
    start.add_argument("--network", default=DEFAULTS.network, help="the VPC, a loopback /16 (default: %(default)s)")
    start.add_argument("--base-port", type=int, default=DEFAULTS.base_port, help="default: %(default)s")
    start.add_argument(
        "--time-scale", type=float, default=DEFAULTS.time_scale, help="lab seconds a second (default: %(default)s)"
    )
    command("down", down, "End the lab; no process is left.")
    command("status", status, "Show instances, machines and nodes.")
    command("env", env, 'Print shell exports: eval "$(pexip-lab env)".')
    command("inventory", inventory, "Print a ready Ansible inventory.").add_argument(
        "--deployment", help="private, public or hybrid (default: what the seed is)"
    )
    counts = command("requests", requests, "Show the requests served, by method and resource.")
    counts.add_argument("--reset", action="store_true", help="and start counting anew")
    clock = commands.add_parser("clock", help="Change the lab's time.")
    advance = command("advance", clock_advance, "Move the time on.", clock.add_subparsers(required=True))
    advance.add_argument("duration", help="such as 30s, 50m or 2h")
    return parser


def _files(options: argparse.Namespace) -> StateFiles:
    return StateFiles(Path(options.state).absolute())


def _table(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *(["-" if row.get(name) in (None, "") else str(row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


if __name__ == "__main__":
    sys.exit(main())
