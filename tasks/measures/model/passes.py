"""Work cut into forward passes that fit into memory."""

from collections.abc import Callable

import torch
from torch import Tensor


def in_passes(run: Callable[[slice], Tensor], n: int, size: int) -> Tensor:
    """Run `n` items in passes of at most `size`, halved whenever memory runs out.

    Args:
        run: works on a slice of the items; one result row per item.
        n: number of items.
        size: items per pass to begin with, >= 1.

    Returns:
        The results of all passes, one after another.

    Raises:
        ValueError: there is nothing to run.
        MemoryError, RuntimeError: memory runs out even for a single item.
    """
    if n < 1 or size < 1:
        raise ValueError(f"cannot run {n} items in passes of {size}")
    results: list[Tensor] = []
    start = 0
    while start < n:
        try:
            results.append(run(slice(start, min(n, start + size))))
        except (MemoryError, RuntimeError) as error:
            if size == 1 or not out_of_memory(error):
                raise
            size = size // 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        else:
            start += size
    return torch.cat(results)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out; on the processor torch has no class for it."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return "can't allocate memory" in str(error) or "not enough memory" in str(error)
