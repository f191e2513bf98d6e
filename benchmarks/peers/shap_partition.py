"""shap's Partition explainer (Owen values), every absent token a [MASK]; the score is Assay's."""

from typing import Any

import numpy as np
import shap
import torch
from common import answer, load, log_odds, read_task, relative, timed

EVALUATIONS = 500


def main() -> None:
    """Explain one text after another."""
    task = read_task()
    model, tokenizer = load(task.model)

    def score(texts: Any) -> np.ndarray:
        encoded = tokenizer([str(t) for t in texts], padding=True, return_tensors="pt")
        with torch.no_grad():
            return log_odds(model(**encoded).logits, 1).double().numpy()

    masker = shap.maskers.Text(tokenizer, mask_token="[MASK]", collapse_mask_token=False)
    explainer = shap.explainers.Partition(score, masker)

    def explain(text: str) -> tuple[list[float], float]:
        found = explainer([text], max_evals=EVALUATIONS, silent=True)
        values, start = np.asarray(found.values[0]), float(np.ravel(found.base_values)[0])
        end = float(score([text])[0])
        sign = 1.0 if end >= 0 else -1.0
        return (sign * values).tolist(), relative(values.sum() - (end - start), end - start)

    found = timed(task.texts, task.short, explain)
    answer({**found, "version": shap.__version__})


if __name__ == "__main__":
    main()
