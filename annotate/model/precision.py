"""Which precision the encoder multiplies in."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

Precision = Literal["float32", "bfloat16"]


@cache
def fastest() -> Precision:
    """bfloat16 where this processor multiplies it by itself, twice as fast; else float32."""
    import torch

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
