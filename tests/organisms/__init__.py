"""Small models trained here with a planted property, so that the truth about them is known."""
