"""Cases that are not independent because they share something."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def clusters(shared: Sequence[Sequence[str]]) -> list[int]:
    """Number of every case's cluster: cases that share a name, directly or through other cases.

    Args:
        shared: names of the parts of every case, [cases][at least one].
    """
    names = {name: at for at, name in enumerate(dict.fromkeys(chain.from_iterable(shared)))}
    edges = [(names[of_one[0]], names[other]) for of_one in shared for other in of_one]
    rows, columns = zip(*edges, strict=True) if edges else ((), ())
    graph = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(names),) * 2)
    _, labels = connected_components(graph, directed=False)
    return [int(labels[names[of_one[0]]]) for of_one in shared]
