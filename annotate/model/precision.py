"""Where networks run, and in which precision their encoders multiply."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Literal

from annotate.errors import UserError

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16"]


@cache
def device() -> torch.device:
    """A GPU where PyTorch finds one, else the processor; of several processes on a machine each has a GPU of
    its own. An empty CUDA_VISIBLE_DEVICES hides them.

    Raises:
        UserError: when there are more processes on this machine than GPUs.
    """
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= there:
        raise UserError(
            f"This machine has more processes than its {there} GPU(s); start one for each, "
            "or set CUDA_VISIBLE_DEVICES to nothing to do without."
        )
    return torch.device("cuda", number)


@cache
def fastest() -> Precision:
    """bfloat16 where this GPU or, without one, this processor multiplies it by itself, twice as fast; else
    float32."""
    import torch

    if device().type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    native = {"avx512_bf16", "amx_bf16"} & flags()
    return "bfloat16" if native and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"


def flags() -> frozenset[str]:
    """What the processor says it can do, where the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^flags\s*:(.*)$", file.read(), re.MULTILINE)
    except OSError:
        return frozenset()
    return frozenset(found.group(1).split()) if found else frozenset()
