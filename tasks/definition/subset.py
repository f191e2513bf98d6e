"""Some of the texts, by what holds for each of them."""

from typing import Self

from tasks.definition.record import Record


class Subset(Record):
    """A filter of texts; absent parts leave nothing out, and all parts present must hold."""

    decided: str | None = None
    """Texts decided for this class."""
    favourable: bool | None = None
    """Texts decided as people hope, or not."""
    as_labelled: bool | None = None
    """Texts decided as labelled, or not: errors."""
    attribute: str | None = None
    """Protected attribute that `group` is a group of."""
    group: str | None = None
    """Texts of this group."""

    def words(self) -> str:
        """What a reader calls them: `denied, origin=migrant`, `errors`; empty for all texts."""
        parts = [self.decided] if self.decided is not None else []
        if self.favourable is not None:
            parts.append("favourable" if self.favourable else "unfavourable")
        if self.as_labelled is not None:
            parts.append("decided as labelled" if self.as_labelled else "errors")
        if self.group is not None:
            parts.append(f"{self.attribute}={self.group}")
        return ", ".join(parts)

    @classmethod
    def written(cls, text: str) -> Self:
        """The subset that a definition writes in short, as `denied, origin=migrant`.

        A class whose own name is one of the words of `words`, or holds a comma or an equals sign,
        is written as a mapping instead.
        """
        fixed: dict[str, tuple[str, bool]] = {
            "favourable": ("favourable", True),
            "unfavourable": ("favourable", False),
            "decided as labelled": ("as_labelled", True),
            "errors": ("as_labelled", False),
        }
        parts: dict[str, str | bool] = {}
        for part in (piece.strip() for piece in text.split(",")):
            attribute, equals, group = part.partition("=")
            if equals:
                parts |= {"attribute": attribute.strip(), "group": group.strip()}
            elif part in fixed:
                name, value = fixed[part]
                parts[name] = value
            elif part and part != "all":
                parts["decided"] = part
        return cls.model_validate(parts)
