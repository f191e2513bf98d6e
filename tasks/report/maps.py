"""Heat maps of layers by tokens of one text: readings of the lens, recovered shares of patching."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.report.charts import Cell as MapCell
from tasks.report.charts import Names, heat_map
from tasks.schema import (
    LensMap,
    PatchingMap,
)

LABEL = 14
"""Characters of a token that a map writes."""


READ_BACK = 24
"""Tokens of a text whose likeliest next tokens are listed, up to the one the head reads."""


@dataclass(frozen=True, slots=True)
class Tops:
    """The likeliest next token read at each layer, by token of the text."""

    layers: tuple[int, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    tokens: int
    """Number of tokens of the text."""


@dataclass(frozen=True, slots=True)
class Map:
    """Layers by tokens of one text, as a picture."""

    heading: str
    svg: Markup
    caption: str
    tops: Tops | None = None


def lens_map(item: LensMap, subject: str, key: str) -> Map:
    """The lens's reading at each layer and token, with the likeliest tokens beside it."""
    shown = f"P({printable(item.target)})"
    return Map(
        f"Lens, layer by word: {subject}",
        _drawn(item.probabilities, item.tokens, key=key, label=shown, domain=(0.0, 1.0)),
        f"Probability of {item.target!r} if the head read this word at this layer."
        + _head(item.tokens, item.head),
        _tops(item),
    )


def patching_map(item: PatchingMap, subject: str, key: str) -> Map:
    """The share recovered by the exchanged text's state at each layer and token."""
    label = "Recovered share of the effect"
    return Map(
        f"Patching, layer by word: {subject}",
        _drawn(item.recovered, item.tokens, key=key, label=label, domain=(-1.0, 1.0)),
        f"Exchanging {item.field} {item.original!r} for {item.exchanged!r} turns "
        f"{item.decision!r} into {item.decision_exchanged!r}. Each cell is the share of that "
        "change which the exchanged text's state brings back at this layer and word alone."
        + _head(item.tokens, item.head),
    )


def _drawn(
    rows: Sequence[Sequence[float]],
    tokens: Sequence[str],
    *,
    key: str,
    label: str,
    domain: tuple[float, float],
) -> Markup:
    """Layers from the last, on top, down to the embedding."""
    last = len(rows) - 1
    cells = [
        MapCell(last - layer, token, value)
        for layer, row in enumerate(rows)
        for token, value in enumerate(row)
    ]
    svg = heat_map(
        cells,
        Names([str(last - row) for row in range(len(rows))], "Layer"),
        Names([printable(token) for token in tokens]),
        key=key,
        label=label,
        domain=domain,
        numbers="evidence.json",
    )
    return Markup(svg)  # noqa: S704


def _head(tokens: Sequence[str], head: int | None) -> str:
    if head is None:
        return ""
    return f" The head reads token {head + 1} of {len(tokens)}, {tokens[head]!r}."


def _tops(item: LensMap) -> Tops | None:
    """The tokens up to the one the head reads, where the subject predicts tokens at all."""
    if not item.tops:
        return None
    end = len(item.tokens) if item.head is None else item.head + 1
    return Tops(
        layers=tuple(range(len(item.tops))),
        rows=tuple(
            (printable(item.tokens[at]), tuple(printable(layer[at]) for layer in item.tops))
            for at in range(max(0, end - READ_BACK), end)
        ),
        tokens=len(item.tokens),
    )


def printable(token: str) -> str:
    """A token as a label: short, on one line, without marks that change the writing direction."""
    plain = "".join(c if c.isprintable() else "·" for c in token.strip()) or "␣"
    return plain if len(plain) <= LABEL else f"{plain[: LABEL - 1]}…"
