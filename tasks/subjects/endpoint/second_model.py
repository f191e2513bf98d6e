"""A second model, which helps with a test; single answers may fail, and each is paid for once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tasks.data.once import once
from tasks.definition.checks.second_model import SecondModel
from tasks.subjects.endpoint.api_key import key_in
from tasks.subjects.endpoint.asker import Asker
from tasks.subjects.endpoint.kept_answers import KeptAnswers, name_of
from tasks.subjects.endpoint.messages import Messages
from tasks.subjects.endpoint.meter import Meter
from tasks.subjects.endpoint.reply import Reply

OPENAI: Final = "https://api.openai.com/v1"
"""Address if a definition gives none, whatever the environment says."""


@dataclass(frozen=True, kw_only=True)
class SecondEndpoint(Asker):
    """A second model that can be asked."""

    spec: SecondModel

    @property
    def who(self) -> str:
        """By its name at the endpoint."""
        return f"second model {self.spec.model}"

    def ask(self, conversations: Sequence[Messages]) -> list[Reply | None]:
        """The reply to every conversation; none for one that failed after all attempts.

        Raises:
            SubjectError: the budget is used up, the endpoint refuses everything, or there is no
                answer at all; answers until then are stored.
        """
        requests = [self.request(c) for c in conversations]
        return self.replies(requests, all_or_none=False)


def load_second(settings: SecondModel, store: Path | None) -> SecondEndpoint:
    """The second model of a definition, once per process, so that its budget is one.

    Args:
        settings: as the definition gives them.
        store: folder of finished work, below which answers are stored; in memory if there is
            none.

    Raises:
        SpecError: the environment holds no key under the name that the definition gives.
    """
    return second_models(settings.model_dump_json(), None if store is None else str(store))


@once(maxsize=16)
def second_models(written: str, store: str | None) -> SecondEndpoint:
    """Once per process for settings and store."""
    settings = SecondModel.model_validate_json(written)
    spec = settings.model_copy(update={"base_url": settings.base_url or OPENAI})
    known = name_of({"base_url": spec.base_url, "model": spec.model})
    return SecondEndpoint(
        spec=spec,
        key=key_in(spec.key_env, f"second model {spec.model}"),
        meter=Meter(spec.budget),
        kept=KeptAnswers(Path(store) / "answers" / known[:16] if store else None),
    )
