"""A model that helps with a check and is not audited."""

from pydantic import Field

from tasks.definition.endpoints import AskedModel


class SecondModel(AskedModel):
    """A model behind an OpenAI-compatible endpoint that helps with a test and is not audited.

    The same settings in several checks are one model with one budget.
    """

    base_url: str | None = None
    """Address of the endpoint; OpenAI's own when absent."""
    max_tokens: int = Field(default=2048, ge=1)
    """Longest completion, in tokens: a whole paraphrased reasoning, and the model's thinking before
    it."""
