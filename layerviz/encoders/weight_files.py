"""The files that hold an encoder's weights: safetensors inside its folder, and nothing else.

An index may name any file, and transformers opens one with another ending through ``torch.load``,
which is a pickle. So every name is checked here before anything is loaded.
"""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from safetensors import SafetensorError, safe_open

from layerviz.errors import EncoderError, reason
from layerviz.wording import quote

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
ENDING = ".safetensors"
MOST_INDEX_BYTES = 100_000_000
LARGEST_WEIGHT = 65_504.0  # the largest number of float16, in which many encoders are stored
_FLOATS = {"F64", "F32", "F16", "BF16"}


@dataclass(frozen=True)
class StoredArray:
    """What the header of a weight file says of one array."""

    dtype: str
    shape: tuple[int, ...]


def files_in(name: str, folder: Path) -> list[Path]:
    """Return what lies in a folder, in order.

    Raises
    ------
    EncoderError
        If the folder cannot be looked into.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise EncoderError(
            f"The folder of {name} cannot be looked into: {reason(error)}.",
            "Let yourself read it, or choose another encoder.",
        ) from error


def is_inside(folder: Path, file: Path) -> bool:
    """Return whether a file, its links followed, is a plain one that lies in its folder.

    A folder of the Hugging Face cache consists of links to the ``blobs`` beside it.
    """
    try:
        root, real = folder.resolve(strict=True), file.resolve(strict=True)
        plain = stat.S_ISREG(real.stat().st_mode)
    except (OSError, RuntimeError):  # dangling, or links in a circle
        return False
    homes = [root]
    if root.parent.name == "snapshots":
        homes.append(root.parent.parent / "blobs")
    return plain and any(real.is_relative_to(home) for home in homes)


def weight_files(name: str, folder: Path) -> list[Path]:
    """Return ``model.safetensors``, or the parts that the index lists instead.

    Raises
    ------
    EncoderError
        If the index cannot be read, or names anything but safetensors inside the folder. That a
        part is missing is not looked at.
    """
    if (folder / WHOLE).exists() or (folder / WHOLE).is_symlink():
        return [folder / WHOLE]
    return [folder / part for part in parts_of_index(name, folder / INDEX)]


def check_weight_files(name: str, folder: Path) -> list[Path]:
    """Return the files with weights, all of which exist, are plain and lie in the folder.

    Raises
    ------
    EncoderError
        It names the first file that does not.
    """
    files = weight_files(name, folder)
    if missing := [file.name for file in files if not (file.exists() or file.is_symlink())]:
        raise missing_parts(name, missing)
    check_inside(name, folder, files)
    return files


def missing_parts(name: str, parts: list[str]) -> EncoderError:
    """Return the error of an encoder that lacks files which its index names."""
    return EncoderError(
        f"{name} is missing {', '.join(parts)[:200]}.",
        "Copy the whole folder again; of the Hub, choose another encoder.",
    )


def check_inside(name: str, folder: Path, files: list[Path]) -> None:
    """Refuse files that are links out of the folder, or no plain files."""
    for file in files:
        if not is_inside(folder, file):
            raise EncoderError(
                f"{file.name} of {name} is a link out of its folder, or no plain file.",
                "Put the file itself into the folder.",
            )


def stored_arrays(name: str, files: list[Path]) -> dict[str, StoredArray]:
    """Return what the files hold, from their headers, which safetensors checks.

    Raises
    ------
    EncoderError
        If a file is damaged, two hold the same array, or weights are not stored as numbers with a
        fraction.
    """
    arrays: dict[str, StoredArray] = {}
    for path in files:
        try:
            with safe_open(path, framework="numpy") as file:  # "pt" would load PyTorch
                for key in file.keys():  # noqa: SIM118
                    part = file.get_slice(key)
                    if key in arrays:
                        raise damaged(name, ValueError(f"{key[:80]} is in two of them"))
                    arrays[key] = StoredArray(part.get_dtype(), tuple(part.get_shape()))
        except (OSError, SafetensorError, ValueError, OverflowError) as error:
            raise damaged(name, error) from error
    for key, array in arrays.items():
        # Integers are counters and positions, which are vectors or have a first axis of one.
        if array.dtype not in _FLOATS and len(array.shape) > 1 and array.shape[0] > 1:
            raise EncoderError(
                f"{name} stores {key[:80]} as {array.dtype}, in a packed form.",
                "Choose the encoder in float32, float16 or bfloat16.",
            )
    return arrays


def check_numbers(name: str, files: list[Path]) -> None:
    """Refuse weights that are no numbers, infinite, or so large that what they compute soon is.

    Raises
    ------
    EncoderError
        It names the first array, or says that a file is damaged.
    """
    for path in files:
        try:
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118
                    weights = file.get_tensor(key)
                    if not weights.is_floating_point() or not weights.numel():
                        continue
                    low, high = weights.aminmax()
                    if not (low >= -LARGEST_WEIGHT and high <= LARGEST_WEIGHT):  # nor is NaN
                        raise EncoderError(
                            f"{key[:80]} of {name} holds values that are no numbers, or none of "
                            "an encoder's.",
                            "Train or download it again.",
                        )
        except (OSError, SafetensorError, ValueError, RuntimeError) as error:
            raise damaged(name, error) from error


def damaged(name: str, error: Exception) -> EncoderError:
    """Return the error that says what is wrong with the files of an encoder."""
    return EncoderError(
        f"The files of {name} cannot be read: {reason(error)}.",
        "Delete them (a Hub encoder's are in the Hugging Face cache) and download them again.",
    )


def parts_of_index(name: str, index: Path) -> list[str]:
    """Return the names of the files that an index lists.

    Raises
    ------
    EncoderError
        If it cannot be read, or one is not the name of a safetensors file beside it.
    """
    if not is_inside(index.parent, index):
        raise damaged(name, ValueError(f"{WHOLE} is missing, and there is no {INDEX}"))
    try:
        if index.stat().st_size > MOST_INDEX_BYTES:
            raise ValueError(f"{INDEX} is too large to be one")
        weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        parts = sorted(set(weight_map.values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(name, error) from error
    if not parts:
        raise damaged(name, ValueError(f"{INDEX} names no files"))
    for part in parts:
        if not _is_safe(part):
            raise EncoderError(
                f"{INDEX} of {name} names {quote(str(part))}, which is no safetensors file in its "
                "folder.",
                "Save the encoder again with save_pretrained, or choose another: layerviz opens no "
                "other weights, since they could run code.",
            )
    return parts


def _is_safe(part: object) -> bool:
    """Return whether a name from an index is that of a safetensors file in the index's folder."""
    if not isinstance(part, str) or not part.endswith(ENDING) or not part.isprintable():
        return False
    path = PurePosixPath(part)
    return (
        not path.is_absolute()
        and len(path.parts) == 1  # save_pretrained writes all parts side by side
        and ".." not in path.parts
        and not any(sign in part for sign in '\\:*?"<>|')
    )
