"""One training in several processes makes the update of the whole batch."""

import os
import socket

import torch
from torch import multiprocessing, nn

from sinew_train import processes


def model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


def loss(network: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    return network(rows).square().mean()


def rows() -> torch.Tensor:
    return torch.randn((8, 5), generator=torch.Generator().manual_seed(2))


def share(rank: int, port: int, folder: str) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with processes.joined() as joined:
        assert joined == rank and processes.count() == 2
        network = model()
        loss(network, rows().chunk(2)[rank]).backward()
        processes.average_gradients(network)
    torch.save([p.grad for p in network.parameters()], f"{folder}/{rank}.pt")


def test_the_gradient_is_that_of_the_whole_batch_in_every_process(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(share, (port, str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    whole = model()
    loss(whole, rows()).backward()
    processes.average_gradients(whole)
    for one, other, p in zip(first, second, whole.parameters(), strict=True):
        assert torch.equal(one, other)
        torch.testing.assert_close(one, p.grad)
