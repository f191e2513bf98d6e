"""Plain-language texts, and the checker that holds every claim against the evidence."""
