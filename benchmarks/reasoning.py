"""Dependence curves from one reading of each reasoning, against one generation after another.

    uv run python benchmarks/reasoning.py --quick

The plain loop is what one would write first: for every question, test and point one call of the
library's own `generate`, with everything read anew. Both get the same versions of the same
reasonings and must give the same answers. The last line is one JSON object.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from tasks.checks.preflight import prepare
from tasks.checks.reasoning.altered_texts import version
from tasks.measures.reasoning.answers import read_written
from tasks.measures.reasoning.mistakes import with_mistake
from tasks.measures.reasoning.reasoning_text import sentences
from tasks.subjects.local import generation
from tasks.subjects.local.loading import load_subject
from tasks.subjects.local.writer import Writer
from tasks.subjects.outputs import Written

TESTS: Final = ("truncation", "filler", "mistake", "paraphrase")
SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
TARGET: Final = 8.0

Versions = dict[str, list[list[str]]]
"""Test -> [points][texts]."""


def main() -> None:
    """Time both ways and print the table and the JSON line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="at most five minutes")
    options.add_argument("--definition", default="audits/loan-approval.yaml")
    options.add_argument("--subject", default="reasoner")
    options.add_argument("--texts", type=int, default=200)
    options.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", 0)))
    given = options.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    plan = prepare(Path(given.definition))
    subject = load_subject(plan.subjects[given.subject])
    texts = plan.data.texts[: given.texts]
    plain = texts[: 40 if given.quick else len(texts)]
    _warm(subject, texts[0])

    before = _peak()
    whole, fast = _timed(lambda: _fast(subject, texts))
    peak_fast = _peak() - before
    anew, slow = _timed(lambda: _plain(subject, plain))
    peak_slow = max(0, _peak() - before)
    _agree(whole, anew, len(plain))

    each_fast, each_slow = fast / len(texts), slow / len(plain)
    points = len(TESTS) * len(SHARES)
    print(f"{len(texts)} questions x {len(TESTS)} tests x {len(SHARES)} points, "
          f"{torch.get_num_threads()} threads, {subject.device.type}")  # fmt: skip
    print(f"one reading, cache reused   {fast:8.2f} s   {1000 * each_fast:8.1f} ms a question")
    print(f"plain loop ({len(plain):3d} questions) {slow:7.2f} s   "
          f"{1000 * each_slow:8.1f} ms a question")  # fmt: skip
    told = {
        "questions": len(texts),
        "plain_questions": len(plain),
        "answers": len(texts) * points,
        "same_answers": True,
        "seconds": round(fast, 2),
        "plain_seconds_per_question": round(each_slow, 4),
        "ratio": round(each_slow / each_fast, 1),
        "target": TARGET,
        "peak_mib": round(peak_fast / 2**20, 1),
        "peak_mib_with_plain": round(peak_slow / 2**20, 1),
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(told))


def _fast(subject: Writer, texts: Sequence[str]) -> dict[str, Any]:
    nothing = [""] * len(texts)
    (written_out,) = generation.continued(subject, texts, nothing, [nothing])
    written = [_read(subject, told) for told in written_out]
    reasonings = [w.reasoning for w in written]
    made = _versions(subject, reasonings)
    found: dict[str, Any] = {"written": [w.answer for w in written]}
    at_once = [test for test in made if test != "mistake"]
    cuts = [cut for test in at_once for cut in made[test]]
    answers = generation.answers_at_cuts(subject, texts, reasonings, cuts)
    for place, test in enumerate(at_once):
        found[test] = answers[place * len(SHARES) : (place + 1) * len(SHARES)]
    told = generation.continued(subject, texts, reasonings, made["mistake"][:-1])
    found["mistake"] = [[_read(subject, text).answer for text in row] for row in told]
    return found


def _plain(subject: Writer, texts: Sequence[str]) -> dict[str, Any]:
    prefix = subject.form.prefix
    room = subject.spec.max_new_tokens
    prompts = [subject.render(text) for text in texts]
    written = [_read(subject, _generate(subject, prompt, room)[0]) for prompt in prompts]
    made = _versions(subject, [w.reasoning for w in written])
    found: dict[str, Any] = {"written": [w.answer for w in written]}
    for test, points in made.items():
        found[test] = []
        for cut in points[:-1] if test == "mistake" else points:
            row = []
            for prompt, reasoning in zip(prompts, cut, strict=True):
                parts = [prompt, reasoning] if test == "mistake" else [prompt, reasoning, prefix]
                rendered = " ".join(part for part in parts if part)
                if test == "mistake":
                    left = room - _length(subject, rendered) + _length(subject, prompt)
                    row.append(_read(subject, _generate(subject, rendered, left)[0]).answer)
                else:
                    row.append(_forced(subject, rendered))
            found[test].append(row)
    return found


def _versions(subject: Writer, reasonings: Sequence[str]) -> Versions:
    """Every version of every reasoning.

    Sentences made wrong by rule stand in for other words, which differ from the reasoning from
    the first changed sentence on as well; a second model's time is not measured here.
    """
    tokens = subject.spans
    other = [
        [with_mistake(part, seed=i) or part for part in sentences(text)]
        for i, text in enumerate(reasonings)
    ]
    return {
        test: [
            [
                made.text if made else text
                for i, text in enumerate(reasonings)
                for made in [version(test, text, share, tokens, seed=i, other_words=other[i])]
            ]
            for share in SHARES
        ]
        for test in TESTS
    }


def _generate(subject: Writer, rendered: str, room: int) -> tuple[str, Any]:
    batch = subject.encode([rendered])
    with torch.inference_mode():
        output = subject.model.generate(
            input_ids=batch.ids,
            attention_mask=batch.mask,
            max_new_tokens=max(1, room),
            do_sample=False,
            pad_token_id=subject.tokenizer.pad_token_id,
            output_logits=True,
            return_dict_in_generate=True,
        )
    new = output.sequences[0, batch.ids.shape[1] :]
    return subject.tokenizer.decode(new, skip_special_tokens=True), output.logits


def _forced(subject: Writer, rendered: str) -> str:
    """The choice whose first token is likeliest after the answer's prefix."""
    logits = _generate(subject, rendered, 1)[1][0][0]
    return subject.labels[int(logits[list(subject.choice_ids)].argmax())]


def _read(subject: Writer, completion: str) -> Written:
    spec = subject.spec
    return Written(
        *read_written(completion, spec.answer.form, spec.answer.prefix, spec.answer.choices)
    )


def _length(subject: Writer, text: str) -> int:
    return len(subject.tokenizer(text)["input_ids"])


def _agree(fast: dict[str, Any], slow: dict[str, Any], n: int) -> None:
    """Speed that changes an answer is worth nothing."""
    for name, rows in slow.items():
        mine = fast[name][:n] if name == "written" else [row[:n] for row in fast[name]]
        if mine != rows:
            raise SystemExit(f"answers differ: {name}")


def _warm(subject: Writer, text: str) -> None:
    _generate(subject, subject.render(text), 2)
    generation.answers_at_cuts(subject, [text], ["A word."], [["A"]])


def _timed(work: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], float]:
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


def _peak() -> int:
    """Most memory that this process has held, in bytes."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


if __name__ == "__main__":
    main()
