"""A loopback server that speaks the OpenAI chat completions protocol and misbehaves to order.

`LoopbackEndpoint(*script)` answers the k-th POST /chat/completions with the k-th item of its script and the last item
ever after. An item is a Reply, or a function of the request's JSON that returns one. Nothing here is faked below HTTP:
tests reach it through the real client.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What goes over the wire. chunk_s: pause between chunks; breaks_after: bytes sent before the socket is cut."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    wait_s: float = 0.0
    chunks: Sequence[bytes] = ()
    chunk_s: float = 0.0
    breaks_after: int | None = None
    header_drip_s: float = 0.0


Scripted = Reply | Callable[[dict[str, Any]], Reply]


def completion(content: Any, **message: Any) -> Reply:
    """A well-formed chat completion; a dict as content is sent as JSON text."""
    text = json.dumps(content) if isinstance(content, dict) else content
    return raw(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "loopback",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
            ],
            "usage": {"prompt_tokens": 800, "completion_tokens": 90, "total_tokens": 890},
        }
    )


def tool_call(arguments: Any, name: str = "answer") -> Reply:
    """A completion without content that calls a function."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": text}}
    return completion(None, tool_calls=[call])


def raw(data: Any, status: int = 200, **headers: str) -> Reply:
    """Any JSON with any status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(json.dumps(data).encode(), status, {"Content-Type": "application/json", **named})


def refusal(status: int, message: str, **headers: str) -> Reply:
    """An error in OpenAI's shape."""
    return raw({"error": {"message": message, "type": "invalid_request_error"}}, status, **headers)


class LoopbackEndpoint:
    """The server, as a context manager. `requests`: the JSON of every POST; `authorizations`: their headers."""

    def __init__(self, *script: Scripted, models: Any = ("loopback",), prefix: str = "/v1") -> None:
        self.script = script
        self.models = models
        self.prefix = prefix
        self.requests: list[dict[str, Any]] = []
        self.times_s: list[float] = []
        self.authorizations: list[str | None] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def __enter__(self) -> LoopbackEndpoint:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply_to(self, body: dict[str, Any], authorization: str | None) -> Reply:
        with self._lock:
            item = self.script[min(len(self.requests), len(self.script) - 1)]
            self.requests.append(body)
            self.authorizations.append(authorization)
            self.times_s.append(time.monotonic())
        return item if isinstance(item, Reply) else item(body)

    def model_reply(self) -> Reply:
        if isinstance(self.models, Reply):
            return self.models
        return raw({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
                if not self.path.startswith(f"{endpoint.prefix}/chat/completions"):
                    self._send(refusal(404, f"no route {self.path}"))
                    return
                self._send(endpoint.reply_to(body, self.headers.get("Authorization")))

            def do_GET(self) -> None:
                known = self.path == f"{endpoint.prefix}/models"
                self._send(endpoint.model_reply() if known else refusal(404, f"no route {self.path}"))

            def _send(self, reply: Reply) -> None:
                try:
                    self._send_parts(reply)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def _send_parts(self, reply: Reply) -> None:
                time.sleep(reply.wait_s)
                self.close_connection = True
                length = sum(map(len, reply.chunks)) if reply.chunks else len(reply.body)
                self.send_response_only(reply.status)
                for name, value in {"Content-Length": str(length), **reply.headers, "Connection": "close"}.items():
                    self.send_header(name, value)
                if reply.header_drip_s:
                    self._drip_headers(reply.header_drip_s)
                self.end_headers()
                if reply.breaks_after is not None:
                    self.wfile.write(reply.body[: reply.breaks_after])
                    return
                for chunk in reply.chunks or (reply.body,):
                    self.wfile.write(chunk)
                    self.wfile.flush()
                    time.sleep(reply.chunk_s)

            def _drip_headers(self, pause_s: float) -> None:
                self.flush_headers()
                for number in range(100):
                    self.wfile.write(f"X-Drip-{number}: 1\r\n".encode())
                    self.wfile.flush()
                    time.sleep(pause_s)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        return Handler
