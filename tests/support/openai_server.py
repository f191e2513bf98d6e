"""A local server that speaks the chat completions protocol and answers as a test tells it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What the server sends for one request."""

    body: str
    status: int = 200
    wait: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[dict, int], Reply]
"""Request and its number, from 0 -> reply."""


@dataclass
class Served:
    """A running server and what it was asked."""

    url: str
    requests: list[dict]
    keys: list[str]
    busiest: list[int]


def completion(
    content: str | None,
    *,
    refusal: str | None = None,
    finish: str = "stop",
    usage: tuple[int, int] | None = None,
    **channels: str,
) -> Reply:
    """A well-formed completion with this content, and thinking in channels of its own."""
    message = {"role": "assistant", "content": content, "refusal": refusal, **channels}
    counted = (
        {
            "usage": {
                "prompt_tokens": usage[0],
                "completion_tokens": usage[1],
                "total_tokens": sum(usage),
            }
        }
        if usage is not None
        else {}
    )
    choice = {"index": 0, "finish_reason": finish, "message": message, "logprobs": None}
    return Reply(
        json.dumps(
            {
                "id": "c1",
                "object": "chat.completion",
                "created": 1,
                "model": "tiny",
                "choices": [choice],
                **counted,
            }
        )
    )


def answering_json(*sentences: tuple[str, tuple[str, ...]]) -> str:
    """These sentences, and the facts they cite, in the form that is asked for."""
    return json.dumps({"sentences": [{"text": t, "facts": list(f)} for t, f in sentences]})


def answering(*sentences: tuple[str, tuple[str, ...]]) -> Reply:
    """A completion with these sentences and the facts they cite."""
    return completion(answering_json(*sentences))


def failing(status: int, message: str = "no", **headers: str) -> Reply:
    """An error as the protocol words it; the client is told to come back at once."""
    error = {"error": {"message": message, "type": "x", "param": None, "code": None}}
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(json.dumps(error), status=status, headers=told or {"retry-after-ms": "1"})


BROKEN = Reply('{"id": "c1", "choices": [{"mess')
"""JSON that was cut off."""

CHOICELESS = Reply(json.dumps({"id": "c1", "object": "chat.completion", "choices": []}))
"""A completion without an answer in it."""


def said(request: dict) -> str:
    """The last message of a request."""
    return request["messages"][-1]["content"]


def facts_in(request: dict) -> dict[str, str]:
    """The facts that a request shows."""
    text = request["messages"][-1]["content"]
    return json.loads(text.removeprefix("<data>\n").removesuffix("\n</data>"))["facts"]


def echo(request: dict, number: int) -> Reply:
    """Say every fact in its own sentence: what an honest model might do."""
    return answering(*((sentence, (name,)) for name, sentence in facts_in(request).items()))


@contextmanager
def serving(answer: Answer) -> Iterator[Served]:
    """Serve on a free port of this machine until the block ends."""
    served = Served("", [], [], [])
    stop, busy, lock = threading.Event(), [0], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                number = len(served.requests)
                served.requests.append(body)
                served.keys.append(self.headers["authorization"])
                busy[0] += 1
                served.busiest.append(busy[0])
            reply = answer(body, number)
            until = time.monotonic() + reply.wait
            while time.monotonic() < until and not stop.is_set():
                time.sleep(0.01)
            with lock:
                busy[0] -= 1
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            try:
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(reply.body.encode())))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body.encode())
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client gave up, as a test of its timeout means it to

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    served.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()
