"""Words that sentences may use only where a check that measures such a thing is cited.

Regular expressions that several kinds of check share; those of one kind are in its record.
"""

from typing import Final

ABOUT_EXCHANGE: Final = r"\bcue\b|\bexchang\w+"
"""Something in the text was exchanged, or put beside it."""
ABOUT_LAYERS: Final = r"\blayers?\b"
"""A place inside the subject."""
ABOUT_REASONING: Final = r"\breasoning\b|\bmention\w*|\bdisclos\w+"
"""What the subject wrote before its answer."""
