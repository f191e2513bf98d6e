"""Speaking to OpenAI-compatible endpoints: for explanations, and to subjects asked over them."""
