"""The errors of an audit.

* AuditError
  x SpecError      the definition asks for something that does not exist or cannot be
  x DataError      the data cannot be read the way the definition says
  x SubjectError   the model cannot be loaded, or not read the way a check needs
    - ChoicesError two answers have the same first token
  x EvidenceError  there is too little data to measure, or a method did not converge
"""


class AuditError(Exception):
    """Base of every error an auditor can act on; anything else is a bug in this project.

    The message is one line: what was asked, the offending value, what exists instead.
    """


class SpecError(AuditError):
    """The definition names something that does not exist or contradicts itself."""


class DataError(AuditError):
    """The data file is missing, empty, or lacks what the definition names."""


class SubjectError(AuditError):
    """The model folder is unusable, unsafe, or not of the kind that was declared."""


class ChoicesError(SubjectError):
    """The tokenizer gives two answers the same first token, so their scores cannot be read."""


class EvidenceError(AuditError):
    """Too little data for a number, or a method that did not converge."""
