"""Partitions scored by Ray: actors that each hold the model and have one partition at a time.

Ray places the actors and starts one again whose process died; its partition goes to whichever is free first.
An actor that finds no room yet gets none. The cluster is the one that RAY_ADDRESS names, else one that lives
as long as the run.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from annotate.engine.partition import SPARING, Outcome, Work, score_partition
from annotate.engine.storage import short
from annotate.errors import UserError
from annotate.model.precision import Precision

ADDRESS = "RAY_ADDRESS"
PATIENCE = 5.0
"""Seconds to wait for a cluster to answer."""
LOADING = 180.0
"""Seconds for every machine to say what it would score with."""
DEATHS = 3
"""So many workers may die over a partition before it is set aside."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
OBJECTS = 128 * 2**20
"""Bytes of shared memory for a cluster of our own: what passes through it are names and outcomes."""


class OnRay:
    """A pool of `workers` actors with one processor core each, by default one for each core there is."""

    def __init__(self, model: str | None, workers: int | None = None) -> None:
        self.model, self.asked = model, workers

    def __enter__(self) -> OnRay:
        """Join the cluster, and ask each of its machines what it would score with.

        Raises:
            UserError: when Ray is not installed, the cluster does not answer, or a machine has no `annotate`.
        """
        self.ray = imported()
        self.started = not self.ray.is_initialized()
        if self.started:
            self._join()
        try:
            self.machines = self._machines()
            cores = int(self.ray.cluster_resources().get("CPU", 0))
        except BaseException:
            self.__exit__()
            raise
        self.workers = self.asked or max(1, cores)
        return self

    def __exit__(self, *_: object) -> None:
        if self.started:
            self.ray.shutdown()

    def precision(self) -> Precision:
        """The one to score in: half only where every machine multiplies it by itself."""
        return "bfloat16" if all(m["precision"] == "bfloat16" for m in self.machines) else "float32"

    def outcomes(
        self, work: Work, names: Iterable[str], precision: Precision, signature: str
    ) -> Iterator[Outcome]:
        """What became of each partition, as they end.

        Raises:
            UserError: when a machine would score with another model, or the cluster is lost.
        """
        for machine in self.machines:
            same(machine, signature)
        wait, get, errors = self.ray.wait, self.ray.get, self.ray.exceptions
        hire = self.ray.remote(num_cpus=1, max_restarts=-1)(Worker).remote
        waiting, deaths = deque(names), Counter[str]()
        free: list[Any] = []
        busy: dict[Any, tuple[Any, str | None]] = {}
        for _ in range(min(self.workers, len(waiting))):
            actor = hire(self.model, work, precision, signature)
            busy[actor.ready.remote()] = actor, None
        left = len(waiting)
        while left:
            while free and waiting:
                actor, name = free.pop(), waiting.popleft()
                busy[actor.work.remote(name)] = actor, name
            (ended,), _ = wait(list(busy))
            actor, of = busy.pop(ended)
            try:
                answer = get(ended)
                free.append(actor)
            except errors.RayTaskError as error:
                free.append(actor)
                answer = Outcome(str(of), problem=f"{of}: {short_last(str(error))}")
            except (errors.RayActorError, errors.OutOfMemoryError, errors.WorkerCrashedError) as error:
                if getattr(error, "actor_init_failed", False):
                    raise UserError(short_last(str(error))) from error
                busy[actor.ready.remote()] = actor, None  # Ray starts it again
                if of is None:
                    continue
                deaths[of] += 1
                if deaths[of] < DEATHS:
                    waiting.appendleft(of)
                    continue
                answer = Outcome(of, problem=f"{of}: {DEATHS} workers died over it, killed or out of memory")
            except errors.RayError as error:
                raise UserError(
                    f"Ray lost the run ({short(error)}); what is done is kept: run the same command again."
                ) from error
            if of is not None:
                left -= 1
                yield answer

    def _join(self) -> None:
        address = os.environ.get(ADDRESS, "")
        own = address in ("", "local")  # Ray alone would join any cluster it finds on this machine
        if not own and address != "auto":
            answers(address)
        alone: dict[str, Any] = {"num_cpus": self.asked, "object_store_memory": OBJECTS} if own else {}
        try:
            self.ray.init(
                address="local" if own else None,
                include_dashboard=False if own else None,
                log_to_driver=False,
                logging_level=logging.FATAL,
                runtime_env={"env_vars": {**ONE_THREAD, **SPARING}},
                **alone,
            )
        except Exception as error:
            where = f"The Ray cluster at {address}" if not own else "A Ray cluster of this machine's own"
            raise UserError(
                f"{where} cannot be used ({short(error)}); see to it with `ray status`, or leave {ADDRESS} "
                "out."
            ) from error

    def _machines(self) -> list[dict[str, Any]]:
        """What each machine of the cluster would score with."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ask = self.ray.remote(num_cpus=0)(question())
        nodes = [n for n in self.ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
        asked = [
            ask.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(self.model)
            for node in nodes
        ]
        try:
            found: list[dict[str, Any]] = self.ray.get(asked, timeout=LOADING)
        except Exception as error:
            raise UserError(f"The machines of the Ray cluster do not answer ({short(error)}).") from error
        for node, machine in zip(nodes, found, strict=True):
            machine["where"] = node["NodeManagerAddress"]
            if machine["error"]:
                raise UserError(
                    f"The machine {machine['where']} of the Ray cluster cannot score ({machine['error']}); "
                    "install the same version of annotate-news and its model on every machine."
                )
        return found


class Worker:
    """What an actor holds: the model, loaded once.

    Raises:
        UserError: when it is not the model of the run.
    """

    def __init__(self, model: str | None, work: Work, precision: Precision, signature: str) -> None:
        import torch

        from annotate.scoring import load

        torch.set_num_threads(1)
        self.given = work
        self.annotator = load(model, precision=precision)
        same({"where": socket.gethostname(), "signature": self.annotator.signature}, signature)

    def ready(self) -> None:
        """Answers when the model is loaded."""

    def work(self, name: str) -> Outcome:
        """What became of a partition."""
        return score_partition(self.annotator, self.given, name)


def imported() -> Any:
    """The module `ray`, quiet."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_gcs_server_request_timeout_seconds", str(int(2 * PATIENCE)))
    try:
        import ray
    except ImportError as error:
        raise UserError(
            f"Ray is not installed here ({error}); pip install 'annotate-news[ray]', or use --engine local."
        ) from error
    return ray


def answers(address: str) -> None:
    """That a Ray cluster answers at host:port or ray://host:port. Ray itself waits two minutes for what
    listens and is none.

    Raises:
        UserError: when nothing does within PATIENCE, or it wants a token.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"The Ray cluster at {address} ({ADDRESS}) cannot be reached ({short(error)}); start it, give "
            f"its right address, or leave {ADDRESS} out to use this machine alone."
        ) from error
    if address.startswith("ray://"):
        return
    ask = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise UserError(
            f"What listens at {address} ({ADDRESS}) is no Ray cluster of this version; give its address."
        ) from None
    if "AuthenticationError" in done.stderr:
        raise UserError(
            f"The Ray cluster at {address} ({ADDRESS}) wants its token: set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN unless ~/.ray/auth_token holds it."
        )
    if done.returncode:
        raise UserError(
            f"The Ray cluster at {address} ({ADDRESS}) is not well ({short_last(done.stderr)}); see to it."
        )


def question() -> Any:
    """A function that Ray takes along whole, since a machine may lack the package: it is no module's own."""

    def ask(model: str | None) -> dict[str, Any]:
        try:
            from annotate.model.bundle import read_whole
            from annotate.model.precision import fastest
            from annotate.registry import resolve
            from annotate.scoring import signature_of

            precision = fastest()
            signature = signature_of(read_whole(resolve(model)), precision)
        except Exception as error:  # told to the person who started the run
            return {"error": str(error).strip() or type(error).__name__}
        return {"error": "", "precision": precision, "signature": signature}

    return ask


def same(machine: Mapping[str, Any], signature: str) -> None:
    """That a machine scores with the model and version of the run; its precision is the run's anyway.

    Raises:
        UserError: when it does not.
    """
    own, wanted = (s.rsplit("|precision:", 1)[0] for s in (machine["signature"], signature))
    if own != wanted:
        raise UserError(
            f"The machine {machine['where']} would score with {own}, this run is of {wanted}; install the "
            "same version there, or name with --model a folder that every machine sees."
        )


def short_last(said: str) -> str:
    """The last line of what another process raised, without the name of our own error."""
    return (said.strip() or "no word").splitlines()[-1].removeprefix("annotate.errors.UserError: ")
