"""What a worker settles before it loads anything that measures."""

import warnings

import torch


def settle() -> None:
    """One thread, since there are as many workers as processors; and a quiet start."""
    warnings.filterwarnings("ignore", message="`torch.jit.script`", category=FutureWarning)
    torch.set_num_threads(1)
