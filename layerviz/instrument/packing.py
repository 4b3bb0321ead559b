"""Numbers as bytes: what a browser unpacks into typed arrays without reading a single digit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

TYPES = ("uint8", "int16", "int32")  # that `maps/numbers.js` knows
ALIGNED = 8  # bytes: where an array may begin


def packed(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return a header and arrays as one sequence of bytes.

    Four bytes tell the length of the header (little-endian); then comes the header as JSON in
    UTF-8, its field ``arrays`` saying the type, the place after the header and the length of each
    array; then the arrays, little-endian, in C order.

    Parameters
    ----------
    header : mapping
        What JSON can hold.
    arrays : mapping of str to ndarray
        Of one of `TYPES`.

    Raises
    ------
    TypeError
        If an array is of another type.
    """
    places, blocks, end = {}, [], 0
    for name, array in arrays.items():
        if array.dtype.name not in TYPES:
            raise TypeError(f"{name} is of {array.dtype}, not one of {', '.join(TYPES)}")
        block = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        places[name] = {"type": array.dtype.name, "at": end, "length": array.size}
        blocks.append(block + b"\0" * (-len(block) % ALIGNED))
        end += len(blocks[-1])
    text = json.dumps({**header, "arrays": places}, ensure_ascii=False, separators=(",", ":"))
    written = text.encode("utf-8", errors="replace")  # half a surrogate pair is no text
    written += b" " * (-(len(written) + 4) % ALIGNED)
    return len(written).to_bytes(4, "little") + written + b"".join(blocks)
