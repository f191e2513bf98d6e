"""Training triggers an audit: train with any function, or bring weights, and announce them.

A deployment that waits for the event `model.retrained` audits the weights; see `prefect.yaml`.
By hand, from the folder in which the worker of that deployment stands:

    python -m flows.retrain audits/screener.yaml screener --trainer ours.training:train
    python -m flows.retrain audits/screener.yaml screener --weights screener=models/42

`flows.training.Trainer` describes what a training function takes and returns.
"""

import json
from pathlib import Path
from typing import Annotated

import typer
from prefect import flow

from flows.announcement import check_server, post, retrained
from flows.cli.errors import one_line
from flows.cli.weights import folders
from flows.progress import STAGES
from flows.training import Option, train, trainer_at
from tasks.checks.preflight import prepare
from tasks.definition import read_spec
from tasks.errors import AuditError

MODELS = Path("models")


@flow(name="retrain", flow_run_name="retrain {model}")
def retrain(
    definition: Path,
    model: str,
    trainer: str | None = None,
    options: dict[str, Option] | None = None,
    out: Path = MODELS,
    weights: dict[str, Path] | None = None,
) -> dict[str, str]:
    """Train a model, or take weights just trained, and announce them to Prefect.

    Args:
        definition: of the audit that shall follow, as seen by whoever runs it.
        model: name of the model; triggers match the resource `model.NAME`.
        trainer: import path MODULE:FUNCTION of a training function.
        options: given to the training function by name.
        out: folder for trained weights; each training lies below it, under its digest.
        weights: instead of a trainer: subject of the definition -> folder of its weights.

    Returns:
        Subject -> folder of its new weights.
    """
    if (trainer is None) == (weights is None):
        raise AuditError("name a trainer, or folders of weights that are trained; one of the two")
    check_server()
    read_spec(definition)
    if trainer is not None:
        function = trainer_at(trainer)
        with STAGES.stage("training"):
            weights = train(function, out, options or {})
    weight_folders = {subject: folder.resolve() for subject, folder in (weights or {}).items()}
    announced = {subject: str(folder) for subject, folder in weight_folders.items()}
    prepare(definition, announced)  # an event that matches no audit would start none, silently
    post(retrained(model, definition, weight_folders))
    return announced


def main(
    definition: Annotated[Path, typer.Argument(help="Definition of the audit that shall follow.")],
    model: Annotated[str, typer.Argument(help="Name of the model, as triggers match it.")],
    trainer: Annotated[str | None, typer.Option(help="MODULE:FUNCTION that trains.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for the function; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for trained weights.")] = MODELS,
    weights: Annotated[
        list[str] | None,
        typer.Option(help="SUBJECT=FOLDER: weights just trained, in place of a trainer."),
    ] = None,
) -> None:
    """Train a model; the deployment that waits for it audits the new weights."""
    with one_line():
        brought = {subject: Path(folder) for subject, folder in folders(weights).items()}
        check_server()
        trained = retrain(definition, model, trainer, options_of(option), out, brought or None)
        for subject, folder in trained.items():
            typer.echo(f"{subject:14} {folder}")


def options_of(pairs: list[str] | None) -> dict[str, Option]:
    """Name -> value: a number or truth value as JSON writes it, anything else a text.

    Raises:
        AuditError: one of them has no value.
    """
    options: dict[str, Option] = {}
    for pair in pairs or []:
        name, separator, value = pair.partition("=")
        if not separator:
            raise AuditError(f"--option {pair}: expected NAME=VALUE")
        try:
            read = json.loads(value)
        except json.JSONDecodeError:
            read = value
        options[name] = read if isinstance(read, int | float) else value
    return options


if __name__ == "__main__":
    typer.run(main)
