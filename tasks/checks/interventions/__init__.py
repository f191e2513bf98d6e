"""Changes of hidden states that several kinds of check make: vectors, erasers, levers."""
