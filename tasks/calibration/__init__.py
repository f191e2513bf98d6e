"""How often the bias chain is right, counted on organisms whose truth is known."""
