"""`python -m flows` is `assay`."""

from flows.cli import app

app()
