"""Plain-language texts, and the checker that compares every claim with the evidence."""
