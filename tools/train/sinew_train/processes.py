"""One training in several processes: each draws its share of the batch, and all make the same update from the mean gradient.

    OMP_NUM_THREADS=1 python -m torch.distributed.run --nproc-per-node 2 -m sinew_train.smpl_ik_train --out out/smpl-ik --threads 1

Networks as small as these gain little from several threads: their products are too short.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed, nn


@contextmanager
def joined() -> Iterator[int]:
    """This process's number among those of `torch.distributed.run`, which are together until the end of the block; 0 where it is the only one."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield 0
        return
    distributed.init_process_group("gloo")
    try:
        yield distributed.get_rank()
    finally:
        # Threads of gloo that still run at the process's end abort it.
        distributed.destroy_process_group()


def count() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def average_gradients(model: nn.Module) -> None:
    """Replaces every gradient by its mean over the processes, bit for bit the same in all of them."""
    if count() == 1:
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= count()
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
        gradient.copy_(mean.view_as(gradient))
