"""interpreto's IntegratedGradients, with the [MASK] baseline that its interface allows.

By itself it takes a baseline of zeros; a tensor must have the shape of one text, so it is set anew
for every text. It averages absolute values over the embedding: no sign, and nothing adds up.
"""

from importlib.metadata import version

import torch
from common import answer, load, read_task, timed
from interpreto import Granularity, IntegratedGradients

STEPS = 50


def main() -> None:
    """Explain one text after another."""
    task = read_task()
    model, tokenizer = load(task.model)
    method = IntegratedGradients(
        model,
        tokenizer,
        batch_size=STEPS,
        n_perturbations=STEPS,
        granularity=Granularity.ALL_TOKENS,
    )
    embedding = model.get_input_embeddings()

    def explain(text: str) -> tuple[list[float], None]:
        encoded = tokenizer(text, return_tensors="pt", return_special_tokens_mask=True)
        special = encoded["special_tokens_mask"].bool()
        ids = torch.where(special, encoded["input_ids"], tokenizer.mask_token_id)
        method.perturbator.baseline = embedding(ids).detach()[0].to(method.device)
        (found,) = method.explain(text)
        return found.attributions.flatten().tolist(), None

    answer({**timed(task.texts, task.short, explain), "version": version("interpreto")})


if __name__ == "__main__":
    main()
