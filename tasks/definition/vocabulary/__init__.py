"""The measures by name: meaning, which direction is good, unit.

Gates, report, model card and explanations all read these words, so that a number is called the
same everywhere. Every kind of check has a module; `tasks.definition.kinds` lists them.
"""

from tasks.definition.vocabulary.measure import Good, Measure

__all__ = ["Good", "Measure"]
