"""How a command that failed ends: one line where the user can act on it, and exit code 2."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flows.stopping import COULD_NOT_RUN, STOPPING
from tasks.errors import AuditError


@contextmanager
def one_line(*, resumes: bool = False) -> Iterator[None]:
    """Turn an error an auditor can act on, or a request to stop, into one line and exit code 2.

    Any other error keeps its traceback; its exit code is 2 as well, as 1 says that a gate failed.
    """
    with STOPPING.listening(resumes=resumes):
        try:
            yield
            STOPPING.check()
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            # beside KeyboardInterrupt: Prefect's own, raised on a SIGTERM that was ignored
            if STOPPING.asked or not isinstance(error, Exception):
                typer.echo(STOPPING.words(), err=True)
            elif isinstance(error, AuditError):
                typer.echo(f"error: {' '.join(str(error).split())}", err=True)
            else:
                traceback.print_exc()
            raise typer.Exit(COULD_NOT_RUN) from None
