"""Settings of a worker, made before it loads anything that measures."""

import warnings

import torch


def settle() -> None:
    """One thread, since there are as many workers as processors; and no warnings at the start."""
    warnings.filterwarnings("ignore", message="`torch.jit.script`", category=FutureWarning)
    torch.set_num_threads(1)
