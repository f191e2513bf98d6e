"""Models behind OpenAI-compatible endpoints: address, retries and timeouts, budget."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, field_validator, model_validator

from tasks.definition.record import Record


class EndpointAddress(Record):
    """Where an OpenAI-compatible endpoint is, and how long it may take."""

    base_url: str | None = None
    """Address of the endpoint; the client's default when absent."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds per request."""
    retries: int = Field(default=2, ge=0)
    """Further attempts after a 429, a 5xx or a timeout."""
    concurrency: int = Field(default=4, ge=1)
    """Requests in flight at once."""

    @field_validator("base_url", mode="after")
    @classmethod
    def holds_no_secret(cls, url: str | None) -> str | None:
        """Definitions are printed in reports, so no part of an address may be a secret."""
        if url is None:
            return url
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("base_url must begin with http:// or https:// and name a host")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(
                "base_url must not hold a user name, a password or a query: definitions are "
                "printed in reports; the key belongs into the environment (key_env)"
            )
        return url


class Budget(Record):
    """What one run may spend at an endpoint; attempts that failed count as calls."""

    calls: int | None = Field(default=None, ge=0)
    """Requests at most."""
    tokens: int | None = Field(default=None, ge=0)
    """Tokens at most, read and written, as the endpoint counts them; where it does not count, and
    before an answer is there, one per byte of what is sent and `max_tokens` of what comes back."""


def _greedily() -> dict[str, JsonValue]:
    return {"temperature": 0}


class AskedModel(EndpointAddress):
    """A model that is asked over an endpoint: its name there, its parameters, its budget."""

    model: str = Field(min_length=1)
    """Model name at the endpoint."""
    key_env: str | None = "OPENAI_API_KEY"
    """Environment variable that holds the key; null for an endpoint that asks for none. The key
    itself never stands in a definition."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds per request."""
    retries: int = Field(default=4, ge=0)
    """Further attempts after a 429, a 5xx, a timeout or an answer that cannot be read."""
    budget: Budget = Budget()
    """What one run may spend."""
    max_tokens: int = Field(default=512, ge=1)
    """Longest completion, in tokens."""
    limit_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Name of that limit in the endpoint's requests."""
    parameters: dict[str, JsonValue] = Field(default_factory=_greedily)
    """Sent unchanged with every request. Sampling without a seed at the endpoint does not repeat,
    except from stored answers."""

    @property
    def own_keys(self) -> frozenset[str]:
        """Keys of a request that are set by the audit itself."""
        return frozenset({"model", "messages", "stream", "n", self.limit_key})

    @model_validator(mode="after")
    def parameters_are_not_the_audits_own(self) -> Self:
        """Of a parameter that is sent twice the endpoint reads one, and which is unknown."""
        for name in sorted(self.own_keys & self.parameters.keys()):
            raise ValueError(f"parameters: {name!r} is set by the audit itself")
        return self
