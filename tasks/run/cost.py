"""How often a definition asks its endpoints, and what that costs at most, before anything is sent.

The order is that of the run: the decisions of the first subject; check by check the subject, where
it is behind an endpoint, its controls, and the second model that helps with the check; who explains
the findings. What was asked before is kept and not asked again, so it is counted where it is first
needed; explanations are not kept.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tasks.checks.contradiction import controls as contradiction_controls
from tasks.checks.cue import disclosure_controls, exchange_controls, influence_controls
from tasks.checks.cue.cues import cues_of
from tasks.checks.cue.disclosure import described_cue, described_field
from tasks.checks.instruments.asking import form_of, put
from tasks.checks.instruments.paired_controls import to_test, to_try
from tasks.checks.instruments.second_model import to_judge, to_say_otherwise
from tasks.checks.reasoning import controls
from tasks.controls.items import Item
from tasks.controls.truth import Couple
from tasks.data.field_swap import exchange
from tasks.definition import SubjectSpec
from tasks.definition.checks import (
    Check,
    ContradictionCheck,
    ControlsSpec,
    CounterfactualCheck,
    CueCheck,
    FairnessCheck,
    PerformanceCheck,
    ReasoningCheck,
    SecondModel,
    second_model_of,
)
from tasks.run.plan import Plan, not_run, withheld_tests
from tasks.subjects.endpoint.messages import tokens_at_most
from tasks.subjects.load import reader_of
from tasks.subjects.reader import Price

EXAMPLES_AND_QUESTION = 6
"""Whole questions that a text with a cue holds at most."""

RETOLD = 8
"""Tokens that a token of a reasoning may be for a second model: one per byte, quoted as JSON."""


@dataclass(frozen=True)
class Calls:
    """What one step asks at most."""

    step: str
    subject: str
    """Who is asked: a subject, or another model by its name at the endpoint."""
    calls: int
    """Questions that need an answer; a failed attempt is repeated up to `attempts` times in all."""
    exact: bool
    """Whether the number is known; else it is an upper bound."""
    tokens: int | None
    """Upper bound, read and written; a reasoning given back counts with its longest length. None
    where nothing bounds it."""
    attempts: int

    def words(self) -> str:
        """One line for a reader."""
        told = f"{self.calls} calls" if self.exact else f"at most {self.calls} calls"
        if self.attempts > 1 and self.calls:
            told += f" ({self.calls * self.attempts} if every one needs every retry)"
        return told if self.tokens is None else f"{told}, at most {self.tokens} tokens"


@dataclass
class _Asked:
    """One subject and the texts it was asked already."""

    plan: Plan
    name: str
    spec: SubjectSpec
    price: Price
    attempts: int
    texts: set[str] = field(default_factory=set)

    def write(self, texts: Sequence[str]) -> tuple[int, int]:
        """Calls and tokens for those of the texts that are new."""
        new = set(texts) - self.texts
        self.texts |= new
        return len(new), sum(self.cost(text) for text in new)

    def unknown(self, number: int) -> tuple[int, int]:
        """Calls and tokens for so many texts of the data, whichever they are."""
        new = [text for text in self.plan.data.texts if text not in self.texts]
        costs = sorted((self.cost(text) for text in new), reverse=True)[:number]
        return len(costs), sum(costs)

    def forced(self, texts: Sequence[str], times: int) -> tuple[int, int]:
        """Calls and tokens for answers after so many given reasonings each."""
        return times * len(texts), times * sum(map(self.price.of_answer_after, texts))

    def longest(self, number: int) -> list[str]:
        """The longest texts of the data, standing in for any."""
        return sorted(self.plan.data.texts, key=lambda t: -len(t.encode()))[:number]

    def cost(self, text: str) -> int:
        """Tokens that reasoning and answering about a text can cost."""
        return self.price.of_writing(text)


def calls(plan: Plan) -> tuple[Calls, ...]:
    """The steps of an audit that ask an endpoint; empty where there is none."""
    asked = {
        name: one
        for name, spec in plan.spec.subjects.items()
        if (one := _asked(plan, name, spec)) is not None
    }
    found = []
    if plan.main in asked:
        main = asked[plan.main]
        found.append(_step("decisions", main, [main.write(plan.data.texts)]))
    for check in plan.spec.checks:
        if not_run(plan, check) is not None:
            continue
        of = asked.get(plan.spec.subject_of(check))
        if of is not None:
            found.append(_of_check(of, check))
            found += _of_controls(of, check)
        found += _of_second_model(plan, check)
    if plan.spec.explain.provider == "openai":
        found.append(_of_explanations(plan))
    return tuple(found)


def _asked(plan: Plan, name: str, spec: SubjectSpec) -> _Asked | None:
    """A subject and what asking it costs; none for one that is not asked over a network."""
    price = reader_of(spec).price(spec)
    if price is None or spec.asked is None:
        return None
    return _Asked(plan, name, spec, price, spec.asked.retries + 1)


def _of_check(asked: _Asked, check: Check) -> Calls:
    match check:
        case PerformanceCheck() | FairnessCheck():
            texts = [row.text for row in asked.plan.rows(asked.plan.rows_of(check))]
            return _step(check.kind, asked, [asked.write(texts)])
        case ReasoningCheck():
            return _step(check.kind, asked, list(_reasoning(asked, check)), exact=False)
        case CueCheck():
            cases = _cases(asked.plan, check)
            exact = not cases and not (check.cues or check.own)
            return _step(check.kind, asked, list(_cue(asked, check, cases)), exact=exact)
        case CounterfactualCheck():
            texts = [row.text for row in asked.plan.rows(asked.plan.rows_of(check))]
            cases = _cases(asked.plan, check)
            parts = [asked.write(texts), asked.unknown(cases)]
            for _ in check.swaps:  # exchanged, and with neutral words
                longest = [asked.cost(text) for text in [*texts, *asked.longest(cases)]]
                parts.append((2 * len(longest), 4 * sum(longest)))
            return _step(check.kind, asked, parts, exact=False)
        case ContradictionCheck():
            return _step(check.kind, asked, [asked.write(asked.plan.data.texts)], exact=False)
        case _:
            raise TypeError(f"check {check.kind} asks no endpoint")


def _cases(plan: Plan, check: Check) -> int:
    """Texts that may be shown beside those that are sampled."""
    return min(plan.spec.cases, len(plan.data.rows) - len(plan.rows_of(check)))


def _reasoning(asked: _Asked, check: ReasoningCheck) -> Iterator[tuple[int, int]]:
    cases = _cases(asked.plan, check)
    sample = [row.text for row in asked.plan.rows(asked.plan.rows_of(check))]
    yield asked.write(sample)
    yield asked.unknown(cases)
    made = [test for test in check.tests if test not in withheld_tests(asked.plan, check)]
    times = len(check.shares) * len(made)
    yield asked.forced([*sample, *asked.longest(cases)], times)


def _cue(asked: _Asked, check: CueCheck, cases: int) -> Iterator[tuple[int, int]]:
    plan, sampled = asked.plan, asked.plan.rows_of(check)
    beside_text = len(cues_of(check.cues, check.own))
    if beside_text:
        texts = [plan.data.rows[position].text for position in sampled]
        yield asked.write(texts)
        yield asked.unknown(cases)
        # what a cue adds to a question is not written yet; it holds at most a few whole questions
        longest = sum(asked.cost(text) for text in [*texts, *asked.longest(cases)])
        yield beside_text * (len(texts) + cases), beside_text * EXAMPLES_AND_QUESTION * longest
    if check.swap is None:
        return
    pairs = {e.position: e for e in exchange(plan.data.rows, check.swap, seed=plan.spec.seed)}
    sample = [position for position in plan.rows_of(check) if position in pairs]
    yield asked.write([plan.data.rows[position].text for position in sample])
    yield asked.unknown(cases)
    yield asked.write([pairs[position].text for position in sample])
    beside = [e.text for position, e in pairs.items() if position not in set(sample)]
    costs = sorted((asked.cost(text) for text in beside), reverse=True)[:cases]
    yield len(costs), sum(costs)


def _of_controls(asked: _Asked, check: Check) -> Iterator[Calls]:
    """What the tests of a check are calibrated on, as far as that is asked of the subject."""
    seed = asked.plan.spec.seed
    match check:
        case ReasoningCheck(controls=ControlsSpec() as wanted):
            yield _of_items(asked, check, controls.items_of(wanted, seed))
        case CueCheck(controls=ControlsSpec() as wanted):
            if check.swap is not None:
                yield _of_couples(asked, exchange_controls.items_of(wanted, seed))
            if check.cues or check.own:
                yield _of_couples(asked, influence_controls.items_of(wanted, seed))
        case ContradictionCheck(controls=ControlsSpec() as wanted):
            yield _of_couples(asked, contradiction_controls.items_of(wanted, seed))


def _of_items(asked: _Asked, check: ReasoningCheck, items: Sequence[Item]) -> Calls:
    """Every control reasoned about, answered without and with another reasoning, and tested."""
    texts = sorted(set(controls.texts_of(asked.spec, items)))
    own = _put_to(asked, controls.choices_of(items))
    made = [test for test in check.tests if test not in withheld_tests(asked.plan, check)]
    times = 2 + len(check.shares) * len(made)  # with no reasoning, with another's, in every test
    every = controls.texts_of(asked.spec, items)  # a text that comes twice may be altered twice
    return _step("controls", asked, [own.write(texts), own.forced(every, times)], exact=False)


def _of_couples(asked: _Asked, couples: Sequence[Couple]) -> Calls:
    """Every question reasoned about once; those tried decide whether the others follow."""
    known = dict([*to_try(couples), *to_test(couples)])
    choices = {choice for of_one in known.values() for choice in of_one}
    own = _put_to(asked, choices)
    texts = [put(asked.spec, text, of_one) for text, of_one in known.items()]
    return _step("controls", asked, [own.write(texts)], exact=False)


def _put_to(asked: _Asked, choices: Collection[str]) -> _Asked:
    """The same subject, which was asked nothing yet, with other answers."""
    spec = asked.spec.answering(form_of(asked.spec, choices))
    price = reader_of(spec).price(spec) or asked.price
    return replace(asked, spec=spec, price=price, texts=set())


def _of_second_model(plan: Plan, check: Check) -> Iterator[Calls]:
    """What a second model is asked: once per reasoning, or once per pair that a cue moved."""
    settings = second_model_of(check)
    if settings is None or plan.spec.on_record(check):
        return
    texts = len(plan.rows_of(check)) + _cases(plan, check)
    reasoning = RETOLD * _longest_reasoning(plan, check)
    if isinstance(check, ReasoningCheck):
        each = tokens_at_most(to_say_otherwise([]), settings.max_tokens) + reasoning
        yield _helping("paraphrases", settings, texts, texts * each)
        if check.controls is not None:
            items = controls.items_of(check.controls, plan.spec.seed)
            yield _helping("control words", settings, len(items), len(items) * each)
    if isinstance(check, CueCheck):
        described = [(described_cue(cue), 1) for cue in cues_of(check.cues, check.own)]
        if check.swap is not None:
            described.append((described_field(check.swap.column), 2))
        tokens = texts * sum(
            tokens_at_most(to_judge(told, ""), settings.max_tokens) + read * reasoning
            for told, read in described
        )
        yield _helping("judgements", settings, len(described) * texts, tokens)
        yield from _of_written(plan, check, settings)


def _of_written(plan: Plan, check: CueCheck, settings: SecondModel) -> Iterator[Calls]:
    """Once per reasoning that is written about a cue, of which the truth is known."""
    spec = plan.spec.subjects[plan.spec.subject_of(check)]
    asked = disclosure_controls.texts_graded(check, spec, plan.data.rows)
    tokens = sum(tokens_at_most(to_judge(*one), settings.max_tokens) for one in asked)
    if asked:
        yield _helping("control judgements", settings, len(asked), tokens)


def _of_explanations(plan: Plan) -> Calls:
    """A text for every finding and case; twice where the endpoint refuses the form asked for."""
    asked = plan.spec.explain
    findings = sum(
        gate.check == check.kind and gate.subject in (None, plan.spec.subject_of(check))
        for gate in plan.spec.gates
        for check in plan.spec.checks
    )
    return Calls(
        step="explanations",
        subject=asked.model or "",
        calls=2 * (findings + min(plan.spec.cases, len(plan.data.rows))),
        exact=False,
        tokens=None,
        attempts=asked.retries + 1,
    )


def _longest_reasoning(plan: Plan, check: Check) -> int:
    """Tokens that a subject may write."""
    longest = plan.spec.subjects[plan.spec.subject_of(check)].longest_reasoning
    if longest is None:
        raise TypeError(f"check {check.kind}: its subject does not write")
    return longest


def _helping(step: str, settings: SecondModel, number: int, tokens: int) -> Calls:
    return Calls(
        step=step,
        subject=settings.model,
        calls=number,
        exact=False,
        tokens=tokens,
        attempts=settings.retries + 1,
    )


def _step(
    step: str, asked: _Asked, parts: Sequence[tuple[int, int]], *, exact: bool = True
) -> Calls:
    return Calls(
        step=step,
        subject=asked.name,
        calls=sum(number for number, _ in parts),
        exact=exact,
        tokens=sum(tokens for _, tokens in parts),
        attempts=asked.attempts,
    )
