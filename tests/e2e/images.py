"""How is a picture made that any reader takes?"""

import struct
import zlib

__all__ = ["png"]


def png(size: int = 40) -> bytes:
    """A red square."""
    rows = (b"\0" + b"\xc8\x1e\x1e" * size) * size
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
