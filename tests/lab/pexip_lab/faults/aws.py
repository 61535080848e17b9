"""Faults of AWS: requests that are refused or lost, and instances that come to nothing."""

import io
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from ..aws import gate
from ..aws.endpoint import WsgiApp
from ..aws.instance import LabInstance
from ..bursting.cloud import USER_AGENT
from ..counters import Requests
from .fault import LAUNCH, Event
from .http import PAGE, Answer, Dialect, Exchange, faulty
from .registry import Faults

# parameters that say what a request is about
_ABOUT = re.compile(
    r"InstanceType|(Instance|Resource)Id(\.\d+)?|(Group|Allocation|AccessKey)Id|(User|Policy|Group)Name"
)
_INSTANCE = re.compile(r"\bi-[0-9a-f]{17}\b")
_CODES = {HTTPStatus.INTERNAL_SERVER_ERROR: "InternalError", HTTPStatus.SERVICE_UNAVAILABLE: "Unavailable"}
_OTHER_CODES = {
    HTTPStatus.INTERNAL_SERVER_ERROR: "ServiceFailure",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}

# after so many lab seconds; how is the account's business
Terminate = Callable[[str, float], None]


class AwsDialect(Dialect):
    """A method is an action such as ``RunInstances``, a path the service, the action and what it is about."""

    def __init__(self) -> None:
        super().__init__("aws")

    def read(self, environ: dict[str, Any]) -> tuple[str, str] | None:
        # what a Management Node asks by itself comes when it will, and would make every count a matter of luck
        if environ.get("HTTP_USER_AGENT", "").startswith(USER_AGENT):
            return None
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        request = gate.Request.read(environ, body)
        if not request.action:
            return None
        about = [value for name, value in request.parameters.items() if _ABOUT.fullmatch(name)]
        return request.action, " ".join([request.service, request.action, *about])

    def failure(self, event: Event, status: HTTPStatus) -> Answer:
        codes = _CODES if _service(event) == "ec2" else _OTHER_CODES
        if status not in codes:
            line = f"{status.value} {status.phrase}"
            return Answer(line, [("Content-Type", "text/html")], PAGE.format(line).encode())
        return _refusal(event, status, codes[status], "An internal error has occurred")

    def unauthorized(self, event: Event) -> Answer:
        if _service(event) == "ec2":
            text = "AWS was not able to validate the provided access credentials"
            return _refusal(event, HTTPStatus.UNAUTHORIZED, "AuthFailure", text)
        text = "The security token included in the request is invalid."
        return _refusal(event, HTTPStatus.FORBIDDEN, "InvalidClientTokenId", text)


def application(app: WsgiApp, faults: Faults, requests: Requests, terminate: Terminate) -> WsgiApp:
    """The endpoint's application with faults around it.

    :param terminate: ends an instance after so many lab seconds, whoever protects it
    """
    carriers = {
        "throttle": _throttle,
        "capacity": _capacity,
        "unsupported": _unsupported,
        "terminate": lambda exchange: _terminated(exchange, terminate),
    }
    return faulty(app, faults, requests, AwsDialect(), carriers)


def stays_pending(faults: Faults, instance: LabInstance) -> bool:
    """Whether an instance that starts never gets to run."""
    return faults.strikes("aws", LAUNCH, " ".join([instance.id, name_of(instance), instance.instance_type]))


def name_of(instance: LabInstance) -> str:
    """The tag Name of an instance."""
    return {tag["key"]: tag["value"] for tag in instance.get_tags()}.get("Name", "")


def _throttle(exchange: Exchange) -> Iterable[bytes]:
    if _service(exchange.event) == "ec2":
        status, code, text = HTTPStatus.SERVICE_UNAVAILABLE, "RequestLimitExceeded", "Request limit exceeded."
    else:
        status, code, text = HTTPStatus.BAD_REQUEST, "Throttling", "Rate exceeded"
    return exchange.send(_refusal(exchange.event, status, code, text))


def _capacity(exchange: Exchange) -> Iterable[bytes]:
    asked = _parameters(exchange).get("InstanceType", "")
    text = (
        f"We currently do not have sufficient {asked} capacity in the Availability Zone you requested. Our system will "
        "be working on provisioning additional capacity."
        if asked
        else "Insufficient capacity."
    )
    answer = _refusal(exchange.event, HTTPStatus.INTERNAL_SERVER_ERROR, "InsufficientInstanceCapacity", text)
    return exchange.send(answer)


def _unsupported(exchange: Exchange) -> Iterable[bytes]:
    asked = _parameters(exchange).get("InstanceType", "")
    text = f"Your requested instance type ({asked}) is not supported in your requested Availability Zone."
    return exchange.send(_refusal(exchange.event, HTTPStatus.BAD_REQUEST, "Unsupported", text))


def _terminated(exchange: Exchange, terminate: Terminate) -> Iterable[bytes]:
    """The request succeeds, and then the instances that it is about, or made, are lost."""
    answer = exchange.act()
    named = _INSTANCE.findall(exchange.event.path) or _INSTANCE.findall(answer.body.decode())
    for instance in dict.fromkeys(named):
        terminate(instance, exchange.fault.seconds or 0)
    return exchange.send(answer)


def _service(event: Event) -> str:
    return event.path.split(" ", 1)[0]


def _parameters(exchange: Exchange) -> Mapping[str, str]:
    body = exchange.environ["wsgi.input"].getvalue()
    return gate.Request.read(exchange.environ, body).parameters


def _refusal(event: Event, status: HTTPStatus, code: str, text: str) -> Answer:
    body = gate.answer(_service(event), gate.Refused(status, code, text))
    return Answer(f"{status.value} {status.phrase}", [("Content-Type", "text/xml")], body)
