"""The orientation of a picture in Exif, the one fact of it that is kept."""

import struct

EXIF_HEADER = b"Exif\0\0"
_ORIENTATION_TAG = 0x0112
_ENTRY_SIZE = 12  # bytes of one field in a TIFF directory


def read(tiff: bytes) -> int:
    """The orientation, 1 to 8, in `tiff` (Exif without its header); 1 where there is none that can be read."""
    tiff = tiff.removeprefix(EXIF_HEADER)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, directory)
        for number in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + number * _ENTRY_SIZE)
            if tag == _ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1
    except struct.error:  # it ends before it should
        pass
    return 1


def written(orientation: int) -> bytes:
    """A TIFF structure (Exif without its header) that says the orientation and nothing else."""
    directory = struct.pack(">HHHIHHI", 1, _ORIENTATION_TAG, 3, 1, orientation, 0, 0)
    return b"MM\0*" + struct.pack(">I", 8) + directory
