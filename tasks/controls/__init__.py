"""Control items with a truth by construction, for measuring how far a reasoning test is right."""

from tasks.controls.items import Item, control_set

__all__ = ["Item", "control_set"]
