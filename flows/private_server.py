"""The server that Prefect starts for itself, out of reach of a Ctrl-C meant for the audit."""

import signal
from contextlib import suppress
from contextvars import copy_context
from threading import Thread

from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_ENABLED

from flows.stopping import STOPPING


def start_private_server() -> None:
    """Start Prefect's private server, where no other is configured, before Prefect does it itself.

    A terminal sends Ctrl-C to every process of the job. Without its server Prefect cannot record
    that the run was stopped, and fails after trying for a minute. A process inherits the signals
    that are blocked in the thread that starts it; a separate thread starts the server, so that the
    audit itself still receives Ctrl-C.
    """
    if PREFECT_API_URL.value() or not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        return
    server = SubprocessASGIServer()  # the same server that Prefect's clients look up

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with suppress(Exception):  # Prefect tries again and reports the error
            server.start()

    def leave() -> None:
        if server.server_process is not None:
            server.server_process.terminate()

    STOPPING.leave = leave
    thread = Thread(target=copy_context().run, args=(start,), daemon=True)
    thread.start()
    thread.join()
