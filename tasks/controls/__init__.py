"""Control items of known truth by construction, for measuring the error of reasoning tests."""

from tasks.controls.items import Item, control_set

__all__ = ["Item", "control_set"]
