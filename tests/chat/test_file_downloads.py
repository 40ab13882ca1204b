"""Downloads: parts of files, what stands for them in caches, and what browsers may do with them."""

import pytest

from tests.test_private_rooms import Visitor, guest
from tests.uploads import ask, upload

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = bytes(range(100))


@pytest.fixture
async def ann() -> Visitor:
    return await guest()


@pytest.mark.parametrize(
    ("given", "status", "expected", "content_range"),
    [
        ("bytes=0-9", 206, CONTENT[:10], "bytes 0-9/100"),
        ("bytes=90-", 206, CONTENT[90:], "bytes 90-99/100"),
        ("bytes=-5", 206, CONTENT[95:], "bytes 95-99/100"),
        ("bytes=-500", 206, CONTENT, "bytes 0-99/100"),
        ("bytes=0-0", 206, CONTENT[:1], "bytes 0-0/100"),
        ("bytes=99-99", 206, CONTENT[99:], "bytes 99-99/100"),
        ("bytes=50-5000", 206, CONTENT[50:], "bytes 50-99/100"),
        ("Bytes = 0 - 1", 206, CONTENT[:2], "bytes 0-1/100"),
        ("bytes=100-", 416, b"", "bytes */100"),
        ("bytes=100-200", 416, b"", "bytes */100"),
        ("bytes=-0", 416, b"", "bytes */100"),
        ("bytes=9-0", 200, CONTENT, None),
        ("bytes=0-1,5-6", 200, CONTENT, None),
        ("bytes=", 200, CONTENT, None),
        ("bytes=-", 200, CONTENT, None),
        ("bytes=a-b", 200, CONTENT, None),
        ("bytes=0x1-2", 200, CONTENT, None),
        ("bytes=-1-2", 200, CONTENT, None),
        (f"bytes={'9' * 30}-", 200, CONTENT, None),
        ("lines=0-9", 200, CONTENT, None),
        ("", 200, CONTENT, None),
    ],
)
async def test_range_gives_the_part_that_is_asked_for(
    ann: Visitor, given: str, status: int, expected: bytes, content_range: str | None
) -> None:
    file = await upload(ann, CONTENT)
    answer = await ask("GET", file["url"], ann, {"range": given})
    assert (answer.status, answer.body) == (status, expected)
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["content-length"] == str(len(expected))
    assert answer.headers["accept-ranges"] == "bytes"
