"""The work: records, subjects, checks, judgement and the report."""
