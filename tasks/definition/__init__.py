"""The audit definition: what is audited, on which data, by which checks, against which gates.

Importing this package costs pydantic and yaml and nothing more, so that `assay check` answers
before a model library is loaded.
"""

from tasks.definition.audit import AuditSpec, ExplainSpec, PlantedRef, read_spec
from tasks.definition.data import CROSS, DataSpec
from tasks.definition.endpoints import Budget, EndpointAddress
from tasks.definition.gates import Gate
from tasks.definition.subjects import (
    HOW_REACHED,
    AnswerForm,
    Answering,
    CausalSubject,
    ClassifierSubject,
    LocalModel,
    OpenAISubject,
    PredictionsSubject,
    Prompting,
    SubjectSpec,
    TranscriptColumns,
    TranscriptsSubject,
)

__all__ = [
    "CROSS",
    "HOW_REACHED",
    "AnswerForm",
    "Answering",
    "AuditSpec",
    "Budget",
    "CausalSubject",
    "ClassifierSubject",
    "DataSpec",
    "EndpointAddress",
    "ExplainSpec",
    "Gate",
    "LocalModel",
    "OpenAISubject",
    "PlantedRef",
    "PredictionsSubject",
    "Prompting",
    "SubjectSpec",
    "TranscriptColumns",
    "TranscriptsSubject",
    "read_spec",
]
