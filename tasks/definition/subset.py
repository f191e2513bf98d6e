"""A subset of the texts, by properties of each text."""

from typing import Self

from pydantic import model_validator

from tasks.definition.record import Record


class Subset(Record):
    """A filter of texts; all parts that are given must hold."""

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
        """The subset in words: `denied, origin=migrant`, `errors`; empty for all texts."""
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
        """The subset of a definition's short form, such as `denied, origin=migrant`.

        A class whose own name is one of the words of `words`, or holds a comma or an equals sign,
        is written as a mapping instead.

        Raises:
            ValueError: two parts restrict the same property, as two classes do.
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
            new: dict[str, str | bool] = {}
            if equals:
                new = {"attribute": attribute.strip(), "group": group.strip()}
            elif part in fixed:
                new = dict([fixed[part]])
            elif part and part != "all":
                new = {"decided": part}
            if new.keys() & parts.keys():
                raise ValueError(
                    f"subset {text!r} names two of a kind; a name that holds a comma needs the "
                    "mapping, as subset: {decided: ...}"
                )
            parts |= new
        return cls.model_validate(parts)

    @model_validator(mode="after")
    def group_has_its_attribute(self) -> Self:
        """A group is one of an attribute."""
        if (self.attribute is None) != (self.group is None):
            raise ValueError("a subset's attribute and group belong together")
        return self
