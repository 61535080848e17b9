"""The control server: how the command line and the tests speak to a running lab (JSON over HTTP)."""

import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from .api.calls import Calls
from .clock import seconds_of
from .inventory import environment, inventory
from .simulation import Simulation

_log = logging.getLogger(__name__)

Parameters = dict[str, str]
Handler = Callable[[Simulation, Parameters], Any]
ROUTES: dict[tuple[str, str], Handler] = {}


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register what answers a request; later parts of the lab (calls, faults) add theirs so."""

    def register(handler: Handler) -> Handler:
        ROUTES[method, path] = handler
        return handler

    return register


@route("GET", "/status")
def _status(lab: Simulation, parameters: Parameters) -> Any:
    return lab.status()


@route("GET", "/secrets")
def _secrets(lab: Simulation, parameters: Parameters) -> Any:
    return lab.secrets()


@route("GET", "/env")
def _env(lab: Simulation, parameters: Parameters) -> Any:
    return environment(lab)


@route("GET", "/inventory")
def _inventory(lab: Simulation, parameters: Parameters) -> Any:
    return inventory(lab, parameters.get("deployment"))


@route("GET", "/requests")
def _requests(lab: Simulation, parameters: Parameters) -> Any:
    return lab.requests.read()


@route("GET", "/requests/aws")
def _aws_actions(lab: Simulation, parameters: Parameters) -> Any:
    return lab.requests.actions()


@route("GET", "/requests/aws/resources")
def _aws_asked(lab: Simulation, parameters: Parameters) -> Any:
    return lab.requests.asked()


@route("GET", "/requests/writes")
def _writes_seen(lab: Simulation, parameters: Parameters) -> Any:
    return lab.requests.writes_seen()


@route("POST", "/fault/add")
def _add_fault(lab: Simulation, parameters: Parameters) -> Any:
    return {"id": lab.faults.add(parameters)}


@route("GET", "/faults")
def _faults(lab: Simulation, parameters: Parameters) -> Any:
    return lab.faults.listed()


@route("POST", "/fault/clear")
def _clear_faults(lab: Simulation, parameters: Parameters) -> Any:
    return {"cleared": lab.faults.clear(parameters.get("id"))}


@route("POST", "/requests/reset")
def _reset_requests(lab: Simulation, parameters: Parameters) -> Any:
    return lab.requests.read(reset=True)


@route("POST", "/call/start")
def _start_call(lab: Simulation, parameters: Parameters) -> Any:
    location = parameters.get("location", "")
    return _calls_at(lab, location).start(location, _participants(parameters), parameters.get("kind", "hd"))


@route("POST", "/call/join")
def _join_call(lab: Simulation, parameters: Parameters) -> Any:
    calls = _calls_with(lab, parameters.get("id", ""))
    return calls.join(parameters.get("id", ""), _participants(parameters), parameters.get("location"))


@route("POST", "/call/end")
def _end_call(lab: Simulation, parameters: Parameters) -> Any:
    if "id" in parameters:
        return {"ended": _calls_with(lab, parameters["id"]).end(parameters["id"])}
    return {"ended": sum(calls.end() for calls in lab.calls())}


@route("POST", "/clock/advance")
def _advance(lab: Simulation, parameters: Parameters) -> Any:
    lab.clock.advance(seconds_of(parameters.get("by", "")))
    return {"time": lab.clock.now().isoformat(timespec="seconds")}


def _calls_at(lab: Simulation, location: str) -> Calls:
    """The calls of the platform that has the location; of the first platform where none has it."""
    platforms = [manager.platform for manager in lab.management_nodes()]
    if not platforms:
        raise ValueError("no Management Node is installed")
    having = [platform for platform in platforms if platform.rows("system_location", name=location)]
    return (having or platforms)[0].calls


def _calls_with(lab: Simulation, identity: str) -> Calls:
    for calls in lab.calls():
        if identity in calls.board.conferences:
            return calls
    raise ValueError(f"no call {identity!r} is in progress")


def _participants(parameters: Parameters) -> int:
    given = parameters.get("participants", "")
    if not given.isdigit():
        raise ValueError(f"{given!r} is no number of participants")
    return int(given)


class ControlServer:
    """The WSGI application. A bad parameter is 400 with ``{"error": ...}``."""

    def __init__(self, lab: Simulation):
        self._lab = lab

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        parameters = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        handler = ROUTES.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        status, answer = HTTPStatus.NOT_FOUND, {"error": "there is no such command"}
        if handler is not None:
            try:
                status, answer = HTTPStatus.OK, handler(self._lab, parameters)
            except ValueError as error:
                status, answer = HTTPStatus.BAD_REQUEST, {"error": str(error)}
            except Exception as error:
                _log.exception("%s failed", environ["PATH_INFO"])
                status, answer = HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]
