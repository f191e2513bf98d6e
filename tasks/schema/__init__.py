"""Every record that an audit leaves behind: measurements, cases, evidence, findings, report."""

from tasks.schema.cases import (
    AttributedText,
    Case,
    CaseEvidence,
    ContradictoryPair,
    CuePair,
    ErasedCase,
    LayerReading,
    LensMap,
    PatchingMap,
    SwappedText,
    TruncatedReasoning,
    Word,
)
from tasks.schema.comparison import Change, Comparison
from tasks.schema.evidence import Evidence, Export, Recommendation
from tasks.schema.explanation import Explanation, Explanations
from tasks.schema.measurement import About, ImpactCategory, ImpactTable, Measurement, TooSmall
from tasks.schema.report import (
    DataProvenance,
    Finding,
    Provenance,
    Report,
    RunRecord,
    SubjectProvenance,
    Verdict,
)

__all__ = [
    "About",
    "AttributedText",
    "Case",
    "CaseEvidence",
    "Change",
    "Comparison",
    "ContradictoryPair",
    "CuePair",
    "DataProvenance",
    "ErasedCase",
    "Evidence",
    "Explanation",
    "Explanations",
    "Export",
    "Finding",
    "ImpactCategory",
    "ImpactTable",
    "LayerReading",
    "LensMap",
    "Measurement",
    "PatchingMap",
    "Provenance",
    "Recommendation",
    "Report",
    "RunRecord",
    "SubjectProvenance",
    "SwappedText",
    "TooSmall",
    "TruncatedReasoning",
    "Verdict",
    "Word",
]
