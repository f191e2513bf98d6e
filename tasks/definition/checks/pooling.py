"""Which hidden state stands for a text."""

from typing import Literal

Pooling = Literal["head", "first", "last", "mean"]
"""Which tokens' hidden state stands for a text."""
