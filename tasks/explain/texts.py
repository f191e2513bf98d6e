"""Plain-language texts about findings and cases, each sentence checked against the evidence."""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Final

from tasks.definition.kind import EXPLANATIONS
from tasks.explain.case_facts import case_sheet
from tasks.explain.claims import Ruling, check_text
from tasks.explain.endpoint import Endpoint, fenced, open_endpoint
from tasks.explain.facts import Sheet, known_names
from tasks.explain.grounds import finding_sheet
from tasks.explain.offers import OffersOf
from tasks.explain.plain_words import plain_words
from tasks.explain.wording import say, tell
from tasks.schema import Explanation, Explanations, Report
from tasks.subjects.endpoint.client import NoAnswerError
from tasks.subjects.endpoint.loop import run_to_end

LONGEST_TEXT: Final = 2000
"""Characters of a model's text at most."""


def explain(report: Report, offers_of: OffersOf) -> Explanations:
    """A short text for every finding, then for every case of the report.

    With `provider: openai` a language model writes; if any of its sentences is not supported by
    the facts it cites, or the endpoint fails, the template text stands instead.

    Args:
        report: what was measured and judged.
        offers_of: what each kind of check contributes.

    Raises:
        SpecError: the endpoint's key is not in the environment.
    """
    spec = report.spec.explain
    all_sheets = sheets(report, offers_of)
    if spec.provider == "template":
        return Explanations(provider="template", texts=tuple(_by_template(s) for s in all_sheets))
    endpoint = open_endpoint(spec)
    texts = run_to_end(_by_model(all_sheets, known_names(report), endpoint))
    return Explanations(provider=f"openai: {spec.model}", texts=texts)


def sheets(report: Report, offers_of: OffersOf) -> tuple[Sheet, ...]:
    """The facts of each text: findings first, then cases."""
    findings = [finding_sheet(report, finding, offers_of) for finding in report.findings]
    return (*findings, *(case_sheet(report, case) for case in report.cases))


def _by_template(sheet: Sheet, *, rejected: tuple[str, ...] = (), checked: int = 0) -> Explanation:
    return Explanation(
        about=sheet.about,
        text=tell(sheet),
        written_by="template",
        claims_checked=checked,
        claims_rejected=len(rejected) if checked else 0,
        rejected=rejected,
    )


async def _by_model(
    all_sheets: tuple[Sheet, ...], known: Mapping[str, str], endpoint: Endpoint
) -> tuple[Explanation, ...]:
    free = asyncio.Semaphore(endpoint.spec.concurrency)

    async def explanation_of(sheet: Sheet) -> Explanation:
        async with free:
            return await _ask_and_check(sheet, known, endpoint)

    async with endpoint.client:
        return tuple(await asyncio.gather(*(explanation_of(sheet) for sheet in all_sheets)))


async def _ask_and_check(sheet: Sheet, known: Mapping[str, str], endpoint: Endpoint) -> Explanation:
    template_texts = {fact.id: say(fact) for fact in sheet.facts}
    user = fenced({"facts": template_texts})
    try:
        claims = await endpoint.sentences(_instructions(), user)
    except NoAnswerError as error:
        return _by_template(sheet, rejected=(str(error),))
    rulings = check_text(claims, sheet, known=known, template_texts=template_texts)
    text = " ".join(claim.text for claim in claims)
    if len(text) > LONGEST_TEXT:
        rulings = (Ruling(False, f"a text of more than {LONGEST_TEXT} characters"),) * len(rulings)
    if rejected := tuple(ruling.why for ruling in rulings if not ruling.ok):
        return _by_template(sheet, rejected=rejected, checked=len(rulings))
    return Explanation(
        about=sheet.about, text=text, written_by="model", claims_checked=len(rulings)
    )


@cache
def _instructions() -> str:
    rules = (EXPLANATIONS / "instructions.txt").read_text(encoding="utf-8")
    return rules.replace("{words}", " ".join(sorted(plain_words())))
