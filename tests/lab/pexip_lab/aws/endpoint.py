"""The AWS endpoint: moto's application over a real socket, with its requests counted by action."""

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def application(count: Callable[[str], None]) -> WsgiApp:
    """The WSGI application of the account.

    :param count: called with the action's name, such as ``RunInstances``, for every request
    """
    moto = DomainDispatcherApplication(create_backend_app)

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        query = {**parse_qs(environ.get("QUERY_STRING", "")), **parse_qs(body.decode("latin-1"))}
        if action := query.get("Action"):
            count(action[0])
        return moto(environ, start_response)

    return serve
