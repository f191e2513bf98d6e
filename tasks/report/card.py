"""The model card: results of the audit in the usual order of model cards."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from huggingface_hub import EvalResult, ModelCardData
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.definition.digits import given
from tasks.definition.kinds import Kind, kind_of
from tasks.report.formats import filters, title
from tasks.report.gates import gate_rows
from tasks.report.head import head
from tasks.report.methods import written_by
from tasks.report.page import TEMPLATES
from tasks.report.places import heading, marks
from tasks.schema import Evidence, Explanations, Measurement, Report, RunRecord
from tasks.schema.notation import Notation


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One check's numbers, as the card lists them."""

    heading: str
    measurements: tuple[Measurement, ...]
    further: int
    """Number of measurements that are only in the evidence."""


def render_card(report: Report, explanations: Explanations, *, run: RunRecord) -> str:
    """The model card as Markdown with its metadata; the first subject is the main model.

    Args:
        report: what was measured and judged.
        explanations: a text per finding.
        run: when the audit ran, and the digest of its evidence.

    Returns:
        A card that `huggingface_hub.ModelCard` reads back.
    """
    texts = {text.about: text for text in explanations.texts}
    return (
        _environment(Notation.of(report))
        .get_template("model_card.md.j2")
        .render(
            card_data=card_data(report).to_yaml(),
            title=report.spec.title or report.spec.name,
            report=report,
            run=run,
            head=head(report, run, None),
            gates=gate_rows(report, texts),
            written_by=written_by(explanations),
            evaluation=evaluation(report),
            notes=tuple(dict.fromkeys(note for e in report.evidence for note in e.notes)),
            too_small=tuple(
                dict.fromkeys(
                    f"{s.attribute}: {s.group} (n {s.n})"
                    for e in report.evidence
                    for s in e.too_small
                )
            ),
        )
    )


def card_data(report: Report) -> ModelCardData:
    """The card's metadata: what it is, and the first subject's results as a model-index."""
    main = report.provenance.subjects[0]
    data = report.provenance.data
    results = [
        _result(evidence, m, report)
        for evidence in report.evidence
        if kind_of(evidence.check.kind).indexed and evidence.subject == main.name
        for m in stated(evidence, report)
    ]
    return ModelCardData(
        model_name=report.spec.title or report.spec.name,
        pipeline_tag=report.spec.subjects[main.name].hub_task,
        tags=["assay", "audit", f"verdict:{head_verdict(report)}"],
        datasets=[data.path] if data.revision else None,
        eval_results=results or None,
    )


def head_verdict(report: Report) -> str:
    """The report's verdict; `none` where no gate was drawn."""
    return report.verdict if report.findings else "none"


def evaluation(report: Report) -> tuple[Evaluation, ...]:
    """The numbers that a card states of every check."""
    evaluations = []
    for evidence in report.evidence:
        shown = stated(evidence, report)
        if shown:
            further = len(evidence.measurements) - len(shown)
            evaluations.append(Evaluation(heading(evidence, report), shown, further))
    return tuple(evaluations)


def stated(evidence: Evidence, report: Report) -> tuple[Measurement, ...]:
    """Measurements that decided a gate first, then the headline numbers."""
    decided = marks(report, evidence)
    last = max((m.about.layer or 0 for m in evidence.measurements), default=0)
    kind, method = kind_of(evidence.check.kind), evidence.cited
    rest = [
        m for m in evidence.measurements if m not in decided and _is_headline(kind, m, last, method)
    ]
    return (*(m for m in evidence.measurements if m in decided), *rest)


def _is_headline(kind: Kind, m: Measurement, last: int, method: str | None) -> bool:
    """Whether it is of the last layer, over all texts, by the method that may be cited, if any."""
    over_all = m.name in kind.headlines and m.about.subset is None
    return (
        (over_all or m.name in kind.headlines_by_subset)
        and m.about.layer in {None, last}
        and m.about.position is None
        and (method is None or m.about.method in {None, method})
    )


def _result(evidence: Evidence, m: Measurement, report: Report) -> EvalResult:
    data = report.provenance.data
    about = " ".join(m.about.words().split())
    level = given(m.level, "share")
    end = f", {level} interval {Notation.of(report).span(m)}" if m.low is not None else ""
    return EvalResult(
        task_type=report.spec.subjects[evidence.subject].hub_task,
        dataset_type=data.path if data.revision else PurePath(data.path).name,
        dataset_name=PurePath(data.path).name,
        dataset_revision=data.revision,
        dataset_split=report.spec.data.split,
        metric_type=m.name,
        metric_name=f"{title(m.name)} ({about or 'all texts'}; n {m.n}{end})",
        metric_value=round(m.value, 6),
        metric_config=about or None,
    )


def markdown(text: str) -> str:
    """Escape text of model or data for Markdown, tables and HTML."""
    flat = re.sub(r"\s+", " ", text).strip()
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = re.sub(r"([\\`*_\[\]|~#$])", r"\\\1", flat)
    return re.sub(r"(?i)\b(https?:|javascript:|data:|www\.)(?=\S)", r"\1&#8203;", flat)


def _environment(notation: Notation) -> Environment:
    """Jinja2 for Markdown: nothing is HTML here, and names escape through `md`."""
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters(notation), md=markdown)
    return environment
