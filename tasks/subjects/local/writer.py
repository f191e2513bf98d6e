"""A loaded decoder that writes: it reasons and answers, or answers after a given reasoning."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tasks.measures.reasoning.answers import read_written
from tasks.subjects.local import generation
from tasks.subjects.local.batches import batches
from tasks.subjects.local.decoder import Decoder
from tasks.subjects.outputs import Answers, Decision, EarlyAnswers, Written

SHORT = 16
"""Longest answer in tokens if there is no list of choices."""


@dataclass(frozen=True)
class Writer(Decoder):
    """A decoder that writes; its answer, if any, is its decision."""

    def decide_on(self, texts: Sequence[str], odds_of: str | None = None) -> list[Decision]:
        """Its answer to every text after its own reasoning; without answers, its next token."""
        if not self.spec.answers:
            return super().decide_on(texts, odds_of)
        return [Decision(written.answer) for written in self.write(texts)]

    def write(self, texts: Sequence[str]) -> list[Written]:
        """Reasoning and answer for every text, written greedily."""
        completions = self.complete([self.render(text) for text in texts])
        form = self.form
        return [
            Written(*read_written(completion, form.form, form.prefix, form.choices), completion)
            for completion in completions
        ]

    def answer_after(self, texts: Sequence[str], reasonings: Sequence[str]) -> list[str | None]:
        """The answer after a given reasoning: the likeliest choice, or the text that it writes."""
        rendered = self.before_answer(texts, reasonings)
        if self.form.known:
            return [self.labels[choice] for choice in self._likeliest(rendered)]
        ends = self.complete(rendered, min(SHORT, self.spec.max_new_tokens))
        return [self._answer(f"{self.form.prefix} {end}") for end in ends]

    def early_answers(
        self, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
    ) -> Answers:
        """Answers given at once after each version of the reasoning, [points][texts]."""
        if self.choice_ids:
            answers = generation.answers_at_cuts(self, texts, reasonings, cuts)
            return [list(row) for row in answers]
        return [self.answer_after(texts, cut) for cut in cuts]

    def early_likelihoods(
        self,
        texts: Sequence[str],
        reasonings: Sequence[str],
        cuts: Sequence[Sequence[str]],
        answers: Sequence[str | None],
    ) -> EarlyAnswers:
        """The same, with the log-probability of a given answer at each point."""
        scored = self.at_cuts(texts, reasonings, cuts, answers)
        answered: Answers = []
        if self.choice_ids:
            answered = [
                [self.labels[i] for i in row] for row in scored.scores.argmax(dim=-1).tolist()
            ]
        likely = [[x if math.isfinite(x) else None for x in row] for row in scored.answer.tolist()]
        return EarlyAnswers(answered, likely)

    def resumed_answers(
        self, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
    ) -> Answers:
        """Answers after it went on reasoning from each version, [points][texts]."""
        written = generation.continued(self, texts, reasonings, cuts)
        return [[self._answer(completion) for completion in row] for row in written]

    def at_cuts(
        self,
        texts: Sequence[str],
        reasonings: Sequence[str],
        cuts: Sequence[Sequence[str]],
        answers: Sequence[str | None],
    ) -> generation.AtCuts:
        """Scores of the choices, and log-probability of an answer; see `generation.at_cuts`."""
        return generation.at_cuts(self, texts, reasonings, cuts, answers)

    def complete(
        self, rendered: Sequence[str], longest: int | None = None, *, drawn: bool = False
    ) -> list[str]:
        """Its continuation, [texts].

        Args:
            rendered: the strings that it continues.
            longest: in tokens; as the definition says unless given.
            drawn: each token at temperature 1 among all; else the likeliest.
        """
        completions = [""] * len(rendered)
        room = longest or self.spec.max_new_tokens
        with torch.inference_mode():
            for positions, batch in batches(self, rendered):
                written = self.generate(batch.ids, batch.mask, room, drawn=drawn)
                decoded = self.tokenizer.batch_decode(written, skip_special_tokens=True)
                for position, completion in zip(positions, decoded, strict=True):
                    completions[position] = completion
        return completions

    def _answer(self, completion: str) -> str | None:
        form = self.form
        return read_written(completion, form.form, form.prefix, form.choices).answer

    def _likeliest(self, rendered: Sequence[str]) -> list[int]:
        """The likeliest choice, by its first token."""
        choices = [0] * len(rendered)
        with torch.inference_mode():
            for positions, batch in batches(self, rendered):
                best = self.scores(batch).argmax(dim=-1).tolist()
                for position, choice in zip(positions, best, strict=True):
                    choices[position] = int(choice)
        return choices
