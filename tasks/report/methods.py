"""The methods behind a report's numbers, and who wrote its texts."""

from dataclasses import dataclass

from tasks.definition.kinds import kind_of
from tasks.schema import (
    Explanations,
    Report,
)


@dataclass(frozen=True, slots=True)
class Method:
    """One measure and its methods."""

    check: str
    name: str
    title: str
    meaning: str
    methods: tuple[str, ...]
    families: tuple[str, ...]


def glossary(report: Report) -> tuple[Method, ...]:
    """Every measure of the checks in this report, with the methods that were used."""
    kinds = dict.fromkeys(e.check.kind for e in report.evidence)
    methods = []
    for kind in kinds:
        for name, measure in kind_of(kind).vocabulary.items():
            used = [
                m for e in report.evidence if e.check.kind == kind for m in e.measurements
                if m.name == name
            ]  # fmt: skip
            methods.append(
                Method(
                    check=kind_of(kind).title,
                    name=name,
                    title=measure.title,
                    meaning=measure.meaning,
                    methods=tuple(dict.fromkeys(m.method for m in used)),
                    families=tuple(dict.fromkeys(m.family for m in used if m.family)),
                )
            )
    return tuple(methods)


def written_by(explanations: Explanations) -> str:
    """Who wrote the texts, and how far they were checked."""
    if not explanations.texts:
        return "No explanations were written."
    if all(t.written_by == "template" for t in explanations.texts) and not explanations.checked:
        return (
            "The explanations are templates filled with measured numbers. "
            "No language model was used: 0 claims checked, 0 rejected."
        )
    by_model = sum(t.written_by == "model" for t in explanations.texts)
    return (
        f"{by_model} of {len(explanations.texts)} explanations were written by a language model "
        f"(provider {explanations.provider}) and held against the evidence: "
        f"{explanations.checked} claims checked, {explanations.rejected} rejected. "
        "A text with a rejected claim was replaced by a template filled with measured numbers."
    )
