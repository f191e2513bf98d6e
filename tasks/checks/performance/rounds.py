"""The decisions of a subject that did not decide before."""

from tasks.run.decisions import DECISIONS

ROUNDS = (DECISIONS,)
