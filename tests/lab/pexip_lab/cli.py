"""The command line ``pexip-lab``."""

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from . import launcher
from .calls import KINDS
from .settings import Settings, StateFiles

DEFAULTS = Settings()
# read by the lab, which alone knows what goes together
FAULT_OPTIONS = {
    "on": "where: api, aws, ssh or node",
    "kind": "what goes wrong (see the README)",
    "method": "the HTTP method, or the action of AWS such as RunInstances",
    "match": "a regular expression, sought in the path, or what stands for it (see the README)",
    "nth": "the first that is struck of those that match; alone that one",
    "write": "the ordinal of a writing request, wherever it goes",
    "times": "how many are struck",
    "probability": "how many of those that match are struck, 0 to 1",
    "seed": "of the probability",
    "when": "before or after a request took effect",
    "seconds": "how long",
    "status": "of an answer",
    "retry_after": "seconds of an answer's Retry-After",
}


def up(options: argparse.Namespace) -> None:
    settings = Settings(
        options.state, options.seed, options.network, options.base_port, options.time_scale, dict(options.capacity)
    )
    launcher.up(settings)
    seeded = f" with seed {options.seed}" if options.seed else ""
    print(f"The lab is up on {options.network}{seeded}; AWS answers at {settings.addresses.endpoint}.")


def down(options: argparse.Namespace) -> None:
    was_running = launcher.down(_files(options))
    print("The lab is down." if was_running else "No lab was running.")


def status(options: argparse.Namespace) -> None:
    answer = launcher.ask(_files(options), "GET", "/status")
    for title in ("instances", "machines", "nodes", "calls", "bursting"):
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


def call_start(options: argparse.Namespace) -> None:
    if options.id:
        call_join(options)
    elif options.location:
        wanted = {"location": options.location, "participants": options.participants, "kind": options.kind}
        _tell_call(launcher.ask(_files(options), "POST", "/call/start", **wanted), 0)
    else:
        raise launcher.LabError("say where the call starts (--location), or which call is joined (--id)")


def call_join(options: argparse.Namespace) -> None:
    before = {call["id"]: call["rejected"] for call in _calls(options)}
    wanted = {"id": options.id, "participants": options.participants}
    if options.location:
        wanted["location"] = options.location
    _tell_call(launcher.ask(_files(options), "POST", "/call/join", **wanted), before.get(options.id, 0))


def call_end(options: argparse.Namespace) -> None:
    wanted = {"id": options.id} if options.id else {}
    print(f"{launcher.ask(_files(options), 'POST', '/call/end', **wanted)['ended']} ended")


def call_list(options: argparse.Namespace) -> None:
    print(_table(rows) if (rows := _calls(options)) else "  none")


def _calls(options: argparse.Namespace) -> list[dict[str, Any]]:
    return launcher.ask(_files(options), "GET", "/status")["calls"]


def _tell_call(call: dict[str, Any], rejected_before: int) -> None:
    """Print the id alone, for scripts; that somebody was turned away goes to standard error."""
    print(call["id"])
    if rejected := call["rejected"] - rejected_before:
        print(f"capacity exceeded: {rejected} participants were rejected", file=sys.stderr)


def clock_advance(options: argparse.Namespace) -> None:
    print(launcher.ask(_files(options), "POST", "/clock/advance", by=options.duration)["time"])


def fault_add(options: argparse.Namespace) -> None:
    given = {name: value for name in FAULT_OPTIONS if (value := getattr(options, name)) is not None}
    print(launcher.ask(_files(options), "POST", "/fault/add", **given)["id"])


def fault_list(options: argparse.Namespace) -> None:
    faults = launcher.ask(_files(options), "GET", "/faults")
    for fault in faults:
        fault["held"] = ", ".join(f"{held['method']} {held['path']}" for held in fault["held"])
    print(_table(faults) if faults else "  none")


def fault_clear(options: argparse.Namespace) -> None:
    given = {"id": options.id} if options.id else {}
    print(f"{launcher.ask(_files(options), 'POST', '/fault/clear', **given)['cleared']} cleared")


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
    start.add_argument(
        "--capacity",
        action="append",
        default=[],
        type=_capacity,
        metavar="TYPE=HD",
        help="HD calls that a Conferencing Node of an instance type can host; may be given again",
    )
    command("down", down, "End the lab; no process is left.")
    command("status", status, "Show instances, machines, nodes, calls and what bursting did.")
    command("env", env, 'Print shell exports: eval "$(pexip-lab env)".')
    command("inventory", inventory, "Print a ready Ansible inventory.").add_argument(
        "--deployment", help="private, public or hybrid (default: what the seed is)"
    )
    counts = command("requests", requests, "Show the requests served, by method and resource.")
    counts.add_argument("--reset", action="store_true", help="and start counting anew")
    calls = commands.add_parser("call", help="Make and end calls.").add_subparsers(required=True)
    begin = command("start", call_start, "Begin a conference, or let more participants join one; prints its id.", calls)
    join = command("join", call_join, "Let more participants join a conference.", calls)
    for one in (begin, join):
        one.add_argument("--id", required=one is join, help="the conference that is joined")
        one.add_argument("--location", help="the location that is called")
        one.add_argument("--participants", type=int, default=1, help="default: %(default)s")
    begin.add_argument("--kind", choices=KINDS, default="hd", help="default: %(default)s")
    end = command("end", call_end, "End one conference, or all.", calls)
    end.add_argument("--id", help="the conference that ends (default: all)")
    command("list", call_list, "Show the conferences in progress.", calls)
    faults = commands.add_parser("fault", help="Let things go wrong.").add_subparsers(required=True)
    wrong = command("add", fault_add, "Let something go wrong; prints the fault's id.", faults)
    for name, text in FAULT_OPTIONS.items():
        wrong.add_argument(f"--{name.replace('_', '-')}", required=name == "kind", help=text)
    command("list", fault_list, "Show the faults, how often they struck, and what they hold now.", faults)
    command("clear", fault_clear, "Take faults back.", faults).add_argument("--id", help="which one (default: all)")
    clock = commands.add_parser("clock", help="Change the lab's time.")
    advance = command("advance", clock_advance, "Move the time on.", clock.add_subparsers(required=True))
    advance.add_argument("duration", help="such as 30s, 50m or 2h")
    return parser


def _capacity(text: str) -> tuple[str, int]:
    instance_type, separator, number = text.partition("=")
    if not (instance_type and separator and number.isdigit() and int(number)):
        raise argparse.ArgumentTypeError(f"{text!r} is no capacity; say c4.2xlarge=20")
    return instance_type, int(number)


def _files(options: argparse.Namespace) -> StateFiles:
    return StateFiles(Path(options.state).absolute())


def _table(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{name}: {count}" for name, count in value.items())
    return "-" if value in (None, "") else str(value)


if __name__ == "__main__":
    sys.exit(main())
