"""What paired controls cost where the subject is behind an endpoint."""

from collections.abc import Sequence

from tasks.checks.instruments.asking import form_of, put
from tasks.checks.instruments.paired_controls import to_test, to_try
from tasks.controls.truth import PairedControl
from tasks.run.cost import Asking, Calls, step_of


def of_pairs(asking: Asking, pairs: Sequence[PairedControl]) -> Calls:
    """Every question reasoned about once; the answers to those tried decide which are tested."""
    known = dict([*to_try(pairs), *to_test(pairs)])
    choices = {choice for possible in known.values() for choice in possible}
    own = asking.answering(form_of(asking.spec, choices))
    texts = [put(asking.spec, text, possible) for text, possible in known.items()]
    return step_of("controls", asking, [own.write(texts)], exact=False)
