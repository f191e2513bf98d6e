"""transformers-interpret's SequenceClassificationExplainer as it comes.

It explains the probability of the decided class from a baseline of [PAD], and scales attributions
to a length of 1; the error is that of its own sum before it does so.
"""

from importlib.metadata import version

from common import answer, load, read_task, relative, timed
from transformers_interpret import SequenceClassificationExplainer

STEPS = 50


def main() -> None:
    """Explain one text after another."""
    task = read_task()
    model, tokenizer = load(task.model)
    explainer = SequenceClassificationExplainer(model, tokenizer)

    def explain(text: str) -> tuple[list[float], float]:
        values = [value for _, value in explainer(text, n_steps=STEPS)]
        ran = explainer.attributions
        delta = float(ran.delta[0])
        whole = float(ran._attributions.double().sum()) - delta
        return values, relative(delta, whole)

    found = timed(task.texts, task.short, explain)
    answer({**found, "version": version("transformers-interpret")})


if __name__ == "__main__":
    main()
