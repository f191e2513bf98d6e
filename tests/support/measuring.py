"""The measuring of an audit, without Prefect and without a report; also as a process of its own."""

import sys
from pathlib import Path

from tasks.checks import MEASURES
from tasks.checks.cue import rounds as cue
from tasks.checks.reasoning import rounds as reasoning
from tasks.run.answers import with_answers
from tasks.run.preflight import prepare


def measure(definition, store):
    """Measure a reasoning check and a cue check, as a run does before its report."""
    plan = with_answers(prepare(definition), store)
    for part, check in zip((reasoning, cue), plan.spec.checks, strict=True):
        for shard in part.shards(plan, check, ()):
            MEASURES[shard.kind](shard, store)


if __name__ == "__main__":
    measure(*map(Path, sys.argv[1:]))
