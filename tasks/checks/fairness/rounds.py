"""The decisions of a subject whose decisions were not measured before."""

from tasks.run.decisions import DECISIONS

ROUNDS = (DECISIONS,)
