"""PNG pictures, compared with tolerance and nothing but Python."""
import struct
import zlib


def decoded(png):
    """(width, height, channels, bytes) of eight bits a channel, without interlacing."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, packed = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        part = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", part)
            assert bits == 8 and colour in (2, 6) and not interlaced, (bits, colour, interlaced)
        packed += part if kind == b"IDAT" else b""
        at += 12 + size
    channels = 4 if colour == 6 else 3
    rows, line, above = zlib.decompress(packed), width * channels, bytearray(width * channels)
    pixels = bytearray()
    for y in range(height):
        start = y * (line + 1)
        above = unfiltered(rows[start], bytearray(rows[start + 1:start + 1 + line]), above, channels)
        pixels += above
    return width, height, channels, bytes(pixels)


def unfiltered(kind, row, above, channels):
    for i in range(len(row)):
        left, up, corner = (row[i - channels], above[i], above[i - channels]) if i >= channels else (0, above[i], 0)
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + up) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + up) // 2) & 255
        elif kind == 4:
            near = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))
            row[i] = (row[i] + near[2]) & 255
    return row


def colours(picture):
    width, height, channels, pixels = picture
    return [pixels[i:i + 3] for i in range(0, len(pixels), channels)]


def differs(one, other):
    """(mean difference of a channel, share of pixels that are clearly another colour), both from 0 to 1."""
    a, b = decoded(one), decoded(other)
    if a[:2] != b[:2]:
        return 1, 1
    off = [[abs(x - y) for x, y in zip(p, q)] for p, q in zip(colours(a), colours(b))]
    return sum(map(sum, off)) / len(off) / 3 / 255, sum(max(each) > 48 for each in off) / len(off)
