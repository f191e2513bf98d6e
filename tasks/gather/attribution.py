"""Which words drive the decision, and does pointing at them hold up?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.dataset import Row
from tasks.decided import Decided, choose
from tasks.gather.inputs import cut, read_all, records, rows_of, subject_of
from tasks.measures import faithfulness, stats
from tasks.measures.attribution import integrated_gradients
from tasks.plan import Plan
from tasks.schema import About, AttributedText, Evidence, Measurement, Word
from tasks.shards import Payload, ShardRef, StoredShard
from tasks.spec import AttributionCheck
from tasks.subject import Batch, Subject, token_words, words_of
from tasks.swap import occurrences

PER_SHARD = 8
SMALLEST_SUBSET = 8  # texts below which a mean share is not stated
TOKENS_PER_PASS = 8192  # interpolated tokens per forward pass; bounds memory
STRATIFIED = (
    "Texts were chosen to cover errors, groups, both decisions and the boundary; they are not a "
    "random sample of the data."
)


def shards(plan: Plan, check: AttributionCheck, decided: Decided) -> list[ShardRef]:
    """Shards over the texts that are explained."""
    return cut(
        plan,
        check,
        "attribution",
        choose(plan, decided, check.texts),
        PER_SHARD,
        tolerance=check.tolerance,
        max_steps=check.max_steps,
        shares=check.shares,
        random_orders=check.random_orders,
    )


def measure(ref: ShardRef, _: Path) -> Payload:
    """Attribution and faithfulness of every text of a shard."""
    subject = subject_of(ref)
    return Payload({}, [_explain(subject, row, ref) for row in rows_of(ref)])


def evidence(
    plan: Plan, check: AttributionCheck, store: Path, stored: Sequence[StoredShard]
) -> Evidence:
    """Faithfulness against a random order, and where the attribution falls."""
    found: list[Any] = records(read_all(store, stored))
    converged = np.array([r["converged"] for r in found])
    cases = tuple(_case(r) for r in found)
    explained = np.array([not case.foregone for case in cases])
    measurements = [
        Measurement.of("converged", stats.share(converged), len(found), stats.SHARE),
        Measurement.of("explained", stats.share(explained), len(found), stats.SHARE),
        *_explained_by_decision(plan, cases),
    ]
    measurements += _faithfulness(found, plan.spec.seed)
    usable = [r for r, keep in zip(found, converged & explained, strict=True) if keep]
    measurements += _field_shares(plan, usable)
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        cases=cases,
        notes=(*((STRATIFIED,) if plan.labels(plan.main) else ()), *_left_out(found, usable)),
    )


def _explained_by_decision(plan: Plan, cases: Sequence[AttributedText]) -> list[Measurement]:
    """The same for each decision: a baseline that leans one way leaves that way unexplained."""
    if not plan.labels(plan.main):
        return []
    found = []
    for target in sorted({case.target for case in cases}):
        of = np.array([not case.foregone for case in cases if case.target == target])
        about = About(subset=target)
        found.append(Measurement.of("explained", stats.share(of), len(of), stats.SHARE, about))
    return found


def _left_out(found: list[Any], usable: list[Any]) -> tuple[str, ...]:
    if len(found) == len(usable):
        return ()
    return (
        f"{len(found) - len(usable)} of {len(found)} texts are left out of the shares of "
        "attribution: not converged, or decided before a word is read.",
    )


# --- one text -----------------------------------------------------------------------------


def _explain(subject: Subject, row: Row, ref: ShardRef) -> dict[str, Any]:
    rendered = subject.render(row.text)
    batch = subject.encode([rendered])
    own, neutral = subject.embed(batch.ids), subject.neutral(batch)
    with torch.no_grad():
        target = int(batch.merged(subject.scores(batch))[0].argmax())

    def log_odds(embeddings: Tensor, windows: Tensor) -> Tensor:
        return odds_of(subject.scores(_rows(batch, windows), embeddings), target)

    attribution = integrated_gradients(
        log_odds,
        own,
        neutral,
        tolerance=ref.option("tolerance"),
        max_steps=ref.option("max_steps"),
        rows_per_pass=max(1, TOKENS_PER_PASS // own.shape[1]),
    )
    words = words_of(rendered)
    values = _merge_words(rendered, batch, attribution.tokens)
    return {
        "id": row.id,
        "target": subject.class_name(target),
        "words": [
            [rendered[a:b], a, b, value, name]
            for (a, b), value, name in zip(
                words, values, field_names(rendered, words, row.fields), strict=True
            )
        ],
        "groups": row.groups,
        "score": float(attribution.score.mean()),
        "baseline_score": float(attribution.baseline_score.mean()),
        "delta": float(attribution.delta.mean()),
        "steps": int(attribution.steps.max()),
        "converged": bool(attribution.converged.all()),
        **_replacement(subject, rendered, batch, own, neutral, target, values, ref),
    }


def odds_of(logits: Tensor, target: int) -> Tensor:
    """Log-odds of one class against all others, [texts]; for two classes the logit difference."""
    others = torch.cat([logits[:, :target], logits[:, target + 1 :]], dim=1)
    return logits[:, target] - others.logsumexp(dim=1)


def _rows(batch: Batch, windows: Tensor) -> Batch:
    """The same batch with its windows repeated as an integration path needs them."""
    windows = windows.to(batch.ids.device)
    return Batch(
        batch.ids[windows],
        batch.mask[windows],
        batch.special,
        [],
        torch.arange(len(windows)),
        len(windows),
    )


def _merge_words(rendered: str, batch: Batch, tokens: Tensor) -> list[float]:
    """Attribution per word; over windows the mean, so that words still add up to the score."""
    values = np.zeros(max(1, len(words_of(rendered))))
    windows = len(batch.ids)
    for window in range(windows):
        real = (~batch.special[window] & (batch.mask[window].cpu() == 1)).tolist()
        owners = token_words(rendered, batch.offsets[window])
        last = 0
        for token, is_text in enumerate(real):
            if is_text:
                last = owners[token] if owners[token] >= 0 else last
                values[last] += float(tokens[window, token]) / windows
    return [float(v) for v in values[: len(words_of(rendered))]]


def field_names(
    text: str, words: Sequence[tuple[int, int]], fields: dict[str, str]
) -> list[str | None]:
    """The named field every word belongs to, where its value stands in the text."""
    spans = [
        (start, end, name)
        for name, value in fields.items()
        for start, end in occurrences(text, value)
    ]
    return [
        next((name for start, end, name in spans if start <= a and b <= end), None)
        for a, b in words
    ]


def _replacement(
    subject: Subject,
    rendered: str,
    batch: Batch,
    own: Tensor,
    neutral: Tensor,
    target: int,
    values: list[float],
    ref: ShardRef,
) -> dict[str, float]:
    """Comprehensiveness and sufficiency of the attribution and of random orders."""
    owners = [torch.tensor(token_words(rendered, offsets)) for offsets in batch.offsets]
    orders = [faithfulness.by_attribution(values)]
    seed = ref.data.seed + ref.rows[0]
    orders += [
        o.tolist()
        for o in faithfulness.random_orders(len(values), ref.option("random_orders"), seed=seed)
    ]
    tops = [faithfulness.top(order, s) for order in orders for s in ref.option("shares")]
    inputs = []
    for chosen in tops:
        hit = torch.stack([torch.isin(o, torch.tensor(chosen)) for o in owners]).to(own.device)
        inputs += [
            torch.where(hit[..., None], neutral, own),
            torch.where(hit[..., None], own, neutral),
        ]
    probability = _probabilities(subject, batch, [own, *inputs], target)
    full = probability[:1]
    shape = (len(orders), len(ref.option("shares")))
    without, only = probability[1::2].view(shape), probability[2::2].view(shape)
    comp = faithfulness.comprehensiveness(full.expand(shape[0]), without.T)
    suff = faithfulness.sufficiency(full.expand(shape[0]), only.T)
    return {
        "comprehensiveness": float(comp[0]),
        "comprehensiveness_random": float(comp[1:].mean()),
        "sufficiency": float(suff[0]),
        "sufficiency_random": float(suff[1:].mean()),
    }


def _probabilities(subject: Subject, batch: Batch, inputs: list[Tensor], target: int) -> Tensor:
    """Probability of the target for every variant of one text, [variants], float64."""
    windows = len(batch.ids)
    per_pass = max(1, 2 * subject.ref.spec.batch // windows)
    found = []
    with torch.no_grad():
        for start in range(0, len(inputs), per_pass):
            chunk = inputs[start : start + per_pass]
            rows = torch.arange(windows).repeat(len(chunk))
            logits = subject.scores(_rows(batch, rows), torch.cat(chunk))
            merged = logits.view(len(chunk), windows, -1).mean(dim=1)
            found.append(merged.double().softmax(dim=-1)[:, target].cpu())
    return torch.cat(found)


# --- all texts ----------------------------------------------------------------------------


def _faithfulness(found: list[Any], seed: int) -> list[Measurement]:
    def column(name: str) -> NDArray[np.float64]:
        return np.array([r[name] for r in found], dtype=np.float64)

    measured = {
        name: column(name)
        for name in (
            "comprehensiveness",
            "comprehensiveness_random",
            "sufficiency",
            "sufficiency_random",
        )
    }
    measured["comprehensiveness_gain"] = (
        measured["comprehensiveness"] - measured["comprehensiveness_random"]
    )
    measured["sufficiency_gain"] = measured["sufficiency_random"] - measured["sufficiency"]
    return [
        Measurement.of(name, stats.bootstrap_mean(values, seed=seed), len(values), stats.MEAN)
        for name, values in measured.items()
    ]


def _field_shares(plan: Plan, found: list[Any]) -> list[Measurement]:
    """Share of |attribution| on each named field, over all texts and over subsets."""
    measurements = []
    for subset, texts in _subsets(plan, found).items():
        for name in plan.spec.data.fields:
            shares = [_field_share(r, name) for r in texts]
            present = np.array([s for s in shares if s is not None], dtype=np.float64)
            if len(present) < SMALLEST_SUBSET:
                continue
            interval = stats.bootstrap_mean(present, seed=plan.spec.seed)
            measurements.append(
                Measurement.of(
                    "field_share",
                    interval,
                    len(present),
                    stats.MEAN,
                    About(field=name, subset=subset),
                )
            )
    return measurements


def _subsets(plan: Plan, found: list[Any]) -> dict[str, list[Any]]:
    """All texts; texts of each decision; and of each decision and group."""
    subsets: dict[str, list[Any]] = {"all": found}
    if not plan.labels(plan.main):
        return subsets
    for r in found:
        subsets.setdefault(r["target"], []).append(r)
        for attribute, group in r["groups"].items():
            if group:
                subsets.setdefault(f"{r['target']}, {attribute}={group}", []).append(r)
    return {name: subsets[name] for name in sorted(subsets, key=lambda s: (s != "all", s))}


def _field_share(record: Any, name: str) -> float | None:
    whole = sum(abs(value) for *_, value, _ in record["words"])
    inside = [abs(value) for *_, value, word_field in record["words"] if word_field == name]
    return sum(inside) / whole if inside and whole > 0 else None


def _case(record: Any) -> AttributedText:
    return AttributedText(
        id=record["id"],
        target=record["target"],
        words=tuple(
            Word(text=t, start=a, end=b, value=v, field=f) for t, a, b, v, f in record["words"]
        ),
        score=record["score"],
        baseline_score=record["baseline_score"],
        delta=record["delta"],
        steps=record["steps"],
        converged=record["converged"],
    )
