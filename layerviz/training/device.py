"""What runs are computed on, told without loading PyTorch where its files tell it.

PyTorch takes a second of processor time to load, and the page says how long a run takes before
anything is trained. A PyTorch that was built for no accelerator computes on the processor, whose
flags tell which numbers it multiplies. Where PyTorch is loaded, or may find an accelerator, it is
asked itself.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path

_ACCELERATORS = ("cuda", "hip", "xpu")  # what torch/version.py names a version of
_BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def needs_torch() -> bool:
    """Return whether telling the device takes loading PyTorch, which is not loaded yet."""
    return _processor_flags() is None and "torch" not in sys.modules


def device() -> str:
    """Return the kind of device that runs are computed on: "cuda", "mps" or "cpu"."""
    if _processor_flags() is not None and "torch" not in sys.modules:
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def multiplies_bf16() -> bool:
    """Return whether that device multiplies bfloat16 natively."""
    flags = _processor_flags()
    if flags is not None and "torch" not in sys.modules:
        return bool(flags & _BF16_FLAGS)
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.backends.mps.is_available():
        return False
    features = torch.cpu.get_capabilities()
    return any(features.get(flag) for flag in _BF16_FLAGS)


@cache
def _processor_flags() -> frozenset[str] | None:
    """Return what Linux says of the processor; None where PyTorch has to be asked instead."""
    if sys.platform != "linux" or _may_find_an_accelerator():
        return None
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    flags = (line for line in lines if line.lower().startswith(("flags", "features")))
    return frozenset(next(flags, "").partition(":")[2].split()) or None


def _may_find_an_accelerator() -> bool:
    """Return whether the PyTorch that is installed was built for more than the processor."""
    spec = importlib.util.find_spec("torch")  # finds it without loading it
    if spec is None or spec.origin is None:
        return True
    try:
        source = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
        parsed = ast.parse(source)
    except (OSError, SyntaxError):
        return True
    values = {
        node.target.id: ast.unparse(node.value)
        for node in parsed.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }
    return any(values.get(name, "") != "None" for name in _ACCELERATORS)
