"""A subject behind an endpoint: conversations in, replies out, each paid for once."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import JsonValue

from tasks.definition import Budget, OpenAISubject
from tasks.subjects.endpoint.api_key import key_in
from tasks.subjects.endpoint.asker import Asker
from tasks.subjects.endpoint.kept_answers import KeptAnswers
from tasks.subjects.endpoint.messages import Messages
from tasks.subjects.endpoint.meter import Meter
from tasks.subjects.endpoint.reply import Reply
from tasks.subjects.reference import SubjectRef

_LOADING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class EndpointSubject(Asker):
    """A model that can be asked and no more; nothing of its weights is known."""

    ref: SubjectRef
    spec: OpenAISubject

    @property
    def who(self) -> str:
        """By the name that the definition gives it."""
        return f"subject {self.ref.name}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return self.spec.choices

    def ask(
        self,
        conversations: Sequence[Messages],
        *,
        max_tokens: int | None = None,
        **parameters: JsonValue,
    ) -> list[Reply]:
        """The reply to every conversation; what was answered before is not asked again.

        Args:
            conversations: messages, oldest first.
            max_tokens: longest reply, where it is less than the definition's.
            parameters: sent beside those of the definition.

        Raises:
            SubjectError: the budget is used up, or the endpoint gives no answer; what was
                answered until then is kept.
        """
        requests = [self.request(c, max_tokens, **parameters) for c in conversations]
        found = self.replies(requests, all_or_none=True)
        return [reply for reply in found if reply is not None]


def load_endpoint(ref: SubjectRef) -> EndpointSubject:
    """The subject of a reference; whatever it is asked, its budget and its kept answers are one.

    Raises:
        SpecError: the environment holds no key under the name that the definition gives.
    """
    if not isinstance(ref.spec, OpenAISubject):
        raise TypeError(f"{ref.name} is not asked over an endpoint")
    with _LOADING:
        meter, kept = _load(ref.name, ref.sha256, ref.folder, ref.spec.budget.model_dump_json())
    key = key_in(ref.spec.key_env, f"subject {ref.name}")
    return EndpointSubject(ref=ref, spec=ref.spec, key=key, meter=meter, kept=kept)


@lru_cache(maxsize=8)
def _load(_name: str, _sha256: str, folder: str, budget: str) -> tuple[Meter, KeptAnswers]:
    """Once per process for a subject: prompt and answers, which controls replace, are no part."""
    meter = Meter(Budget.model_validate_json(budget))
    return meter, KeptAnswers(Path(folder) if folder else None)
