"""The AWS endpoint: moto's application over a real socket, behind the account's gate, with its requests counted."""

import io
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import gate

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def application(guard: gate.Gate, count: Callable[[str, str], None]) -> WsgiApp:
    """The WSGI application of the account.

    :param guard: lets requests through
    :param count: called with the action's name, such as ``RunInstances``, and the user agent, for every request
    """
    moto = DomainDispatcherApplication(create_backend_app)

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        request = gate.Request.read(environ, body)
        if request.action:
            count(request.action, environ.get("HTTP_USER_AGENT", ""))
        try:
            guard.check(request)
        except gate.Refused as refused:
            answer = gate.answer(request.service, refused)
            headers = [("Content-Type", "text/xml"), ("Content-Length", str(len(answer)))]
            start_response(f"{refused.status.value} {refused.status.phrase}", headers)
            return [answer]
        return moto(environ, start_response)

    return serve
