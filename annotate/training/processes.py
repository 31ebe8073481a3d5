"""Several processes train one model: `torchrun` or `accelerate launch` start them, on one machine or more.

Every process holds the whole network and goes through the same batches in the same order. The encoder, which
is nearly all of the work, passes over a batch's rows in parts, one part each; what it makes of them is
gathered, so that every process reckons the loss of the whole batch, whatever that is a mean of. The encoder's
gradients are then summed over the processes: what one process would have found, but for rounding and for the
random numbers of the encoder's dropout. The first process alone writes and prints.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

from annotate.errors import UserError
from annotate.model.batch import Batch
from annotate.model.network import Network
from annotate.model.precision import device
from annotate.signals.base import Encoded

PATIENCE = timedelta(days=1)
"""How long a process waits for the others, which may have a long evaluation to do or a project to pull. That
one of them died is told by its closed connection and by the launcher, not by the time."""
Work = Callable[[], Any]


@contextmanager
def joined() -> Iterator[bool]:
    """Join the processes that a launcher started, where it did; yields whether this is the first.

    Where one fails all end, and only the one that failed first says why.

    Raises:
        UserError: when the processes cannot reach each other.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield True
        return
    gpu = device().type == "cuda"
    try:
        store, rank, n = next(distributed.rendezvous("env://", timeout=PATIENCE))
        if gpu:
            torch.cuda.set_device(device())
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if gpu else "gloo", timeout=PATIENCE, store=store, rank=rank, world_size=n
        )
    except (ValueError, RuntimeError) as error:
        raise UserError(
            f"The processes of this training do not find each other ({str(error).splitlines()[0][:160]}); "
            "start them with torchrun or accelerate launch."
        ) from error
    try:
        yield first()
    except Exception:  # whatever it is: of several processes only the first to fail tells it
        if another_failed(store):
            sys.exit(UserError.exit_code)
        raise
    wait()
    distributed.destroy_process_group()


def another_failed(store: Any) -> bool:
    """Whether another process failed before this one, which herewith counts as failed."""
    try:
        return bool(store.add("annotate/failed", 1) > 1)
    except RuntimeError:  # the process that keeps the store is gone
        return False


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def first() -> bool:
    """Whether this is the one that writes and prints."""
    return rank() == 0


@contextmanager
def connected() -> Iterator[None]:
    """What fails inside fails because another process is gone."""
    try:
        yield
    except RuntimeError as error:
        raise UserError(
            "Another process of this training has ended, so all end; the launcher says below how it ended. "
            "Run the same command again: it goes on from the last checkpoint."
        ) from error


def wait() -> None:
    """Until all are here."""
    if count() > 1:
        with connected():
            distributed.barrier()


def gathered(mine: Any) -> list[Any]:
    """What each process has here, in order."""
    if count() == 1:
        return [mine]
    found: list[Any] = [None] * count()
    with connected():
        distributed.all_gather_object(found, mine)
    return found


def shared(work: Callable[[Sequence[Any]], list[Any]], items: Sequence[Any]) -> list[Any]:
    """One result for each item, each process working on a part of them."""
    n = count()
    if n == 1:
        return work(items)
    found: list[Any] = [None] * len(items)
    for k, part in enumerate(gathered(work(items[rank() :: n]))):
        found[k::n] = part
    return found


# A training step


def encode(network: Network, batch: Batch) -> Encoded:
    """What the encoder makes of a batch, each process passing over every n-th row of it. Gradients flow to
    this process's rows alone (`sum_gradients` joins them)."""
    n = count()
    if n == 1:
        return network.encode(batch)
    rows = len(batch.input_ids)
    # All parts have as many rows, as they are gathered by: behind the last row it stands again, for nothing.
    mine = torch.arange(rank(), n * -(-rows // n), n).clamp(max=rows - 1)
    part = replace(
        batch,
        input_ids=batch.input_ids[mine],
        attention_mask=batch.attention_mask[mine],
        pool=batch.pool[mine],
    )
    with own_randomness(network.device):
        words = network.encode(part).words
    parts = [torch.empty_like(words) for _ in range(n)]
    with connected():
        distributed.all_gather(parts, words.detach())
    parts[rank()] = words
    whole = torch.stack(parts, 1).flatten(0, 1)[:rows]
    return Encoded(whole, (batch.pool.sum(2) > 0).to(whole.device))


def sum_gradients(network: Network) -> None:
    """Give every process the gradients of the whole batch: the encoder's are summed, as each process has
    those of its rows; the heads', which each has whole, are averaged, so that no rounding drives them apart.
    """
    n = count()
    if n == 1:
        return
    encoder = [p.grad for p in network.encoder.parameters() if p.grad is not None]
    heads = [p.grad for p in network.heads.parameters() if p.grad is not None]
    for gradient in heads:
        gradient /= n
    with connected():
        sums = [distributed.all_reduce(gradient, async_op=True) for gradient in [*encoder, *heads]]
        for under_way in sums:
            under_way.wait()


@contextmanager
def own_randomness(where: torch.device) -> Iterator[None]:
    """Random numbers of this process's own; behind it those that all processes draw alike go on as before."""
    with torch.random.fork_rng([where] if where.type == "cuda" else []):
        torch.manual_seed(int(torch.randint(2**62, (), device=where)) + rank())
        yield


# A job that the first process does, but for the training in its midst


def together(work: Work) -> None:
    """Have the other processes, which `follow`, do this as well."""
    _tell(work)


def release() -> None:
    """Let the other processes go."""
    _tell(None)


def follow() -> None:
    """Do what the first process wants done `together`, until it `release`s this one."""
    while (work := _tell(None)) is not None:
        work()


def _tell(work: Work | None) -> Work | None:
    """What the first process says."""
    if count() == 1:
        return work
    said = [work]
    with connected():
        distributed.broadcast_object_list(said, src=0)
    return said[0]
