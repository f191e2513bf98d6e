"""The measures by their one name: what each means, which way is good, what it may be.

Gates, report, model card and explanations all read these words, so that a number is called the
same everywhere. Every kind of check has a module; `tasks.definition.kinds` lists them.
"""

from tasks.definition.vocabulary.measure import Good, Measure

__all__ = ["Good", "Measure"]
