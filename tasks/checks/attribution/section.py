"""The attribution section: which methods earned their place, how they agree, what drives what."""

from collections.abc import Iterable, Sequence

from tasks.definition.checks.attribution import AttributionCheck
from tasks.definition.subset import Subset
from tasks.judge.credibility import is_credible
from tasks.report import charts
from tasks.report.blocks import Block, Sentence, Title, grid
from tasks.report.charts import Axis, Cell, Dot
from tasks.report.figures import figure
from tasks.report.formats import about_words, joined, title
from tasks.report.places import anchor
from tasks.report.shown import Shown
from tasks.schema import AttributedText, Evidence, Measurement
from tasks.schema.notation import Notation

ALL = "all texts"

MOST_SUBSETS = 4
"""Up to this many subsets, all are charted."""

BESIDE = ("converged", "infidelity", "sparsity", "stability")
RATIONALES = ("rationale_f1", "rationale_auprc")
REPLACED = ("comprehensiveness", "sufficiency")
DRIVERS = ("field_share", "field_attribution")


def section(shown: Shown[AttributionCheck]) -> list[Block]:
    """What the section holds between heading and full table."""
    evidence, decided = shown.evidence, shown.decided
    return [
        *_credible(evidence),
        *_foregone(evidence),
        *_quality(evidence, shown.notation),
        *_agreement(evidence, shown.notation),
        *_drivers(evidence, list(decided)),
    ]


def _quality(evidence: Evidence, notation: Notation) -> list[Block]:
    gains = evidence.named("comprehensiveness_gain")
    sufficient = evidence.named("sufficiency_gain")
    beside = [m for m in evidence.measurements if m.name in BESIDE]
    rationales = [m for m in evidence.measurements if m.name in RATIONALES]
    key = anchor(evidence)
    return [
        Title("Which methods earned their place"),
        *figure(
            charts.dots(
                [Dot(_plain_method(m), f"against {m.about.baseline}", m) for m in gains],
                Axis("Difference in probability (0 = no better than the baseline)", rule=0),
                key=f"{key}-gain", label=title("comprehensiveness_gain"),
            ),
            "Gain over the baselines on the same texts: a random order of the units, and the same "
            "method on the subject with weights shuffled. At 0 a method is worth nothing; it earns "
            "a place where all three intervals lie above 0.",
        ),
        *grid([*gains, *beside], caption="Methods on this subject", corner="Method",
              row=lambda m: _method(m, evidence), column=_column),
        *grid(rationales, caption=_against_people(evidence, notation), corner="Method",
              row=lambda m: _method(m, evidence), column=lambda m: title(m.name)),
        *grid(sufficient, caption="Sufficiency gain", corner="Method", row=_plain_method,
              column=lambda m: f"against {m.about.baseline}", folded=True),
        *grid([m for m in evidence.measurements if m.name in REPLACED],
              caption="Comprehensiveness and sufficiency, by how units are taken out",
              corner="Ranking", row=_plain_method,
              column=lambda m: f"{title(m.name)}, {m.about.operator}", folded=True),
        *grid(evidence.named("explained"), caption="How many decisions words explain at all",
              corner="Texts", row=about_words, column=lambda m: title(m.name)),
    ]  # fmt: skip


def _agreement(evidence: Evidence, notation: Notation) -> list[Block]:
    ranks, tops = evidence.named("rank_agreement"), evidence.named("top_agreement")
    if not ranks:
        return []
    return [
        Title("Where the methods disagree"),
        Sentence(
            "Methods ask different questions, so disagreement is information: a word that one "
            "ranks high and another low matters in company with others, or only for one of them."
        ),
        *figure(
            _agreement_matrix(ranks, notation, f"{anchor(evidence)}-agreement"),
            "Mean rank correlation between the methods' attributions of the same text.",
        ),
        *grid([*ranks, *tops], caption="Agreement between methods", corner="Methods",
              row=lambda m: f"{m.about.method} and {m.about.other}",
              column=lambda m: title(m.name), folded=True),
    ]  # fmt: skip


def _agreement_matrix(agreement: Sequence[Measurement], notation: Notation, key: str) -> str:
    """Rank agreement of every method with every other; a method agrees with itself."""
    pairs = [(m.about.method or ALL, m.about.other or ALL, m) for m in agreement]
    methods = list(dict.fromkeys(name for one, other, _ in pairs for name in (one, other)))
    itself = notation.number(1.0, "rank_agreement")
    cells = [Cell(i, i, 1.0, itself) for i in range(len(methods))]
    for one, other, m in pairs:
        i, j = methods.index(one), methods.index(other)
        cells += [Cell(*at, m.value, notation.value(m)) for at in ((i, j), (j, i))]
    names = charts.Names(methods)
    label = "Mean Spearman correlation between methods"
    return charts.heat_map(cells, names, names, key=key, label=label, domain=(-1.0, 1.0))


def _drivers(evidence: Evidence, decided: Sequence[Measurement]) -> list[Block]:
    shares = evidence.named("field_share")
    words = evidence.named("word_attribution")
    if not shares and not words:
        return []
    fields = [m for m in evidence.measurements if m.name in DRIVERS]
    subsets = first_subsets([*shares, *words], decided)
    first = [m for m in shares if m.about.subset in subsets]
    few = [m for m in words if m.about.subset in subsets and m.about.subset is not None]
    key = anchor(evidence)
    return [
        Title("What drives which decision"),
        *figure(
            charts.dots(
                [Dot(m.about.field or ALL, _texts(m), m) for m in first],
                Axis("Share of the absolute attribution", percent=True, rule=0),
                key=f"{key}-fields", label=title("field_share"),
            ),
            "Share of the absolute attribution by field of the text and subset of texts.",
        ),
        *_by_field([m for m in fields if m.about.subset in subsets], "Attribution by field"),
        *_by_field([m for m in fields if m.about.subset not in subsets],
                   "Attribution by field in further subsets", folded=True),
        *figure(
            charts.dots(
                [Dot(m.about.word or ALL, _texts(m), m) for m in few or words],
                Axis("Part of the attribution (below 0: against the decision)", rule=0),
                key=f"{key}-words", label=title("word_attribution"),
            ),
            "What single words add to the decision: the mean part of a text's attribution that "
            "falls on the word, over the texts that hold it.",
        ),
        *grid(words, caption="Attribution by word and subset; n is the texts that hold the word",
              corner="Word", row=lambda m: m.about.word or "", folded=True,
              column=_texts),
    ]  # fmt: skip


def _by_field(
    measured: Sequence[Measurement], caption: str, *, folded: bool = False
) -> list[Block]:
    return grid(
        measured,
        caption=caption,
        corner="Field",
        row=lambda m: m.about.field or "no field",
        column=lambda m: f"{title(m.name)}, {_texts(m)}",
        folded=folded,
    )


def first_subsets(
    measured: Sequence[Measurement], decided: Iterable[Measurement]
) -> frozenset[Subset | None]:
    """The subsets a reader needs first.

    Subsets that name no group, and subsets that differ only by their group from one that decided a
    gate; all subsets, where there are few.
    """
    subsets = dict.fromkeys(m.about.subset for m in measured)
    deciding = {_without_group(m.about.subset) for m in decided}
    needed = {s for s in subsets if s is None or s.group is None or _without_group(s) in deciding}
    few = len(subsets) <= MOST_SUBSETS or not needed
    return frozenset(subsets if few else needed)


def _without_group(subset: Subset | None) -> Subset | None:
    return None if subset is None else subset.model_copy(update={"group": None})


def _texts(m: Measurement) -> str:
    """Which texts a measurement is over."""
    return ALL if m.about.subset is None else m.about.subset.words()


def _credible(evidence: Evidence) -> list[Block]:
    method = evidence.cited
    if method is None:
        return [
            Sentence(
                "No method earned its place on this subject: none beats a random order of the "
                "units and itself on shuffled weights with its whole interval. No sentence rests "
                "on attribution, and no share of it is stated.",
                "caution",
            )
        ]
    check = evidence.check
    methods = check.methods if isinstance(check, AttributionCheck) else ()
    not_credible = [m for m in methods if not is_credible(m, evidence.measurements)]
    verb = "are" if len(not_credible) > 1 else "is"
    only_shown = f" {joined(not_credible, 9)} did not, and {verb} only shown."
    return [
        Sentence(
            f"Sentences and shares rest on {method}: taking out what it ranks highest moves the "
            "decision more than a random order does, and more than its own ranking on shuffled "
            "weights (last block and head; all) does, each with its whole interval."
            + (only_shown if not_credible else " All other methods earned their place as well.")
        )
    ]


def _foregone(evidence: Evidence) -> list[Block]:
    """How often attribution cannot say why, because the baseline is decided the same way."""
    method = evidence.cited
    texts = [c for c in evidence.cases if isinstance(c, AttributedText) and c.method == method]
    foregone = sum(c.foregone for c in texts)
    if not foregone:
        return []
    return [
        Sentence(
            f"In {foregone} of the {len(texts)} cases shown the baseline, which says nothing, "
            "is already decided the same way. There the attribution explains only the difference "
            "from the baseline: a word may count "
            "against a decision and still be what leads to it elsewhere.",
            "caution",
        )
    ]


def _against_people(evidence: Evidence, notation: Notation) -> str:
    shares = evidence.named("rationale_share")
    chance = (
        f"; they marked {notation.value(shares[0])} of a text, which is chance" if shares else ""
    )
    return f"Against what people marked as the reason{chance}"


def _method(m: Measurement, evidence: Evidence) -> str:
    name = m.about.method or "all"
    return (
        f"{name} (earned)" if is_credible(name, evidence.measurements) else f"{name} (not earned)"
    )


def _plain_method(m: Measurement) -> str:
    return m.about.method or "all"


def _column(m: Measurement) -> str:
    return f"Gain against {m.about.baseline}" if m.about.baseline else title(m.name)
