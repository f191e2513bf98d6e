"""Endpoints before a run: the reference of the model behind one, and the cost of asking it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tasks.data.dataset import Dataset
from tasks.definition import OpenAISubject, SubjectSpec
from tasks.schema import SubjectProvenance
from tasks.subjects.endpoint.messages import (
    answer_now,
    longest_answer_now,
    question,
    tokens_at_most,
)
from tasks.subjects.protocols import Decides, DecidesAnew, Resumes, Writes
from tasks.subjects.reader import Price, Reader
from tasks.subjects.reference import SubjectRef, spec_as


@dataclass(frozen=True)
class EndpointPrice:
    """Tokens that a request costs at most; see `Price`."""

    spec: OpenAISubject

    def of_writing(self, text: str) -> int:
        """Question, reasoning and answer."""
        return tokens_at_most(question(self.spec, text), self.spec.max_tokens)

    def of_answer_after(self, text: str) -> int:
        """Question, the longest reasoning there may be, and the answer."""
        longest = longest_answer_now(self.spec) + self.spec.max_tokens
        return tokens_at_most(answer_now(self.spec, text, "."), longest)


class EndpointReader(Reader):
    """Models behind OpenAI-compatible endpoints."""

    def refer(self, name: str, spec: SubjectSpec, root: Path, data: str) -> SubjectRef:
        """Known by address, model name and parameters; nothing is asked yet."""
        identity = spec_as(spec, OpenAISubject).identity
        known = json.dumps(identity, sort_keys=True, allow_nan=False)
        sha256 = hashlib.sha256(known.encode()).hexdigest()
        return SubjectRef(name=name, spec=spec, folder="", sha256=sha256)

    def price(self, spec: SubjectSpec) -> Price:
        """The highest cost of its messages and answers."""
        return EndpointPrice(spec_as(spec, OpenAISubject))

    def begin(self, ref: SubjectRef, store: Path | None, *, fresh: bool) -> SubjectRef:
        """With a folder for its answers in the store, and its budget reset."""
        from tasks.subjects.endpoint.subject import load_endpoint

        folder = "" if store is None else str(store / "answers" / ref.sha256[:16])
        placed = ref.model_copy(update={"folder": folder})
        load_endpoint(placed).begin(fresh=fresh)
        return placed

    def provenance(self, ref: SubjectRef, data: Dataset) -> SubjectProvenance:
        """Model and address; its first call is the first that is needed."""
        spec = spec_as(ref.spec, OpenAISubject)
        return SubjectProvenance(
            name=ref.name,
            kind=spec.kind,
            path=f"{spec.model} at {spec.base_url}",
            sha256=ref.sha256,
            known_by="address",
            labels=spec.choices,
        )

    def decider(self, ref: SubjectRef) -> Decides:
        """The endpoint with its budget and its stored answers."""
        return self.resumer(ref)

    def fresh_decider(self, ref: SubjectRef) -> DecidesAnew:
        """The endpoint with its budget and its stored answers."""
        return self.resumer(ref)

    def writer(self, ref: SubjectRef) -> Writes:
        """The endpoint with its budget and its stored answers."""
        return self.resumer(ref)

    def resumer(self, ref: SubjectRef) -> Resumes:
        """The endpoint with its budget and its stored answers."""
        from tasks.subjects.endpoint.subject import load_endpoint

        return load_endpoint(ref)


ENDPOINT = EndpointReader()
