"""The checks a definition can ask for: each one question with its options."""
