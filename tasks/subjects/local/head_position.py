"""The subject's last stage: the position that its head reads, and its scores of a single one."""

import torch
from torch import Tensor

from tasks.measures.localisation.lens import Stage, last_stage, reads_one_position
from tasks.subjects.local.batches import Batch
from tasks.subjects.protocols import Opens

READS_ALL = "the head reads all positions, not one"


def one_position(subject: Opens) -> Stage:
    """Scores that the head gives to hidden states of single positions; see `last_stage`."""
    batch = subject.encode([subject.render("text")])
    token = batch.ids[0, subject.head_position(batch)[0]]

    def run(count: int) -> Tensor:
        ids = token.expand(count, 1)
        return subject.scores(batch.of(ids, torch.ones_like(ids)))

    return last_stage(run, subject.blocks)


def head_of(subject: Opens, batch: Batch) -> Tensor | None:
    """Position that the head reads, [windows]; none where it reads all of them."""
    head = subject.head_position(batch)
    single_position = reads_one_position(lambda: subject.scores(batch), subject.blocks, head)
    return head if single_position else None
