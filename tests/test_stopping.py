"""Being asked to stop: heard every time, forgotten never, and nothing is said that is not so."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from prefect.exceptions import TerminationSignal
from typer.testing import CliRunner

from flows.cli import app
from flows.cli.errors import one_line
from flows.stopping import SIGNALS, STOPPING, Stopping

WAITING = """
import signal, time
from flows.stopping import Stopping
signal.signal(signal.SIGINT, signal.SIG_DFL)
stopping = Stopping()
stopping.leave = lambda: print("left", flush=True)
with stopping.listening():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("first", flush=True)
        time.sleep(60)
"""


def ask(number=signal.SIGINT):
    os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def heard():
    """As in a terminal, whoever started the tests."""
    before = {n: signal.signal(n, signal.default_int_handler) for n in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_unwinds_what_is_running(number):
    stopping = Stopping()
    with pytest.raises(KeyboardInterrupt), stopping.listening():
        ask(number)
    assert [signal.getsignal(n) for n in SIGNALS] == [signal.default_int_handler] * 2
    stopping.check()  # the next run is not stopped by what was asked of this one


def test_a_request_that_was_swallowed_is_not_forgotten():
    stopping = Stopping()
    with stopping.listening():
        stopping.check()
        with suppress(KeyboardInterrupt):
            ask()
        with pytest.raises(KeyboardInterrupt):
            stopping.check()


def test_a_request_heard_by_prefect_stops_this_run_and_no_other():
    """Prefect takes SIGTERM over while a flow runs; a flow called by hand is its caller's."""
    stopping = Stopping()
    with stopping.listening():
        stopping.note()
        with pytest.raises(KeyboardInterrupt):
            stopping.check()
    stopping.note()
    stopping.check()


def test_what_is_ignored_stays_ignored():
    """`assay run &` in a script: the shell has it ignore the Ctrl-C meant for others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping = Stopping()
    with stopping.listening():
        ask()
        stopping.check()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_the_second_signal_waits_for_nothing():
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in ("ready\n", "first\n"):
            assert process.stdout.readline() == line
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 2
        assert process.stdout.read() == "left\n"
        assert process.stderr.read() == "error: interrupted\n"


def test_an_interruption_after_the_report_does_not_deny_it(capsys):

    def reporting():
        STOPPING.report = Path("reports/x")
        ask()

    with pytest.raises(typer.Exit) as exit_, one_line():
        reporting()
    assert exit_.value.exit_code == 2
    told = capsys.readouterr().err
    assert told == "error: interrupted; the report had been written before: reports/x\n"


def test_what_fails_because_of_the_interruption_is_the_interruption(capsys):
    """Prefect may meet its own server gone, and say that instead."""

    def unwind():
        try:
            ask()
        except KeyboardInterrupt:
            raise ConnectionError("the server is gone") from None

    with pytest.raises(typer.Exit), one_line(resumes=True):
        unwind()
    assert capsys.readouterr().err.startswith("error: interrupted; no report was written")


def test_only_a_command_that_goes_on_promises_it(capsys):
    with pytest.raises(typer.Exit), one_line():
        ask()
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_signal_that_prefect_raises_is_an_interruption(capsys):
    """It hears a SIGTERM even where that was ignored, and raises what is no Exception."""

    def terminated():
        raise TerminationSignal(signal.SIGTERM)

    with pytest.raises(typer.Exit) as exit_, one_line(resumes=True):
        terminated()
    assert exit_.value.exit_code == 2
    assert capsys.readouterr().err.startswith("error: interrupted; no report was written")


def test_a_crash_is_no_failed_gate(monkeypatch):
    """Exit code 1 says that a gate failed; what broke on the way stays readable."""

    def broken(_):
        raise ZeroDivisionError("in the middle")

    monkeypatch.setattr("tasks.definition.read_spec", broken)
    outcome = CliRunner().invoke(app, ["list"])
    assert outcome.exit_code == 2
    assert "Traceback" in outcome.stderr
    assert "ZeroDivisionError: in the middle" in outcome.stderr
