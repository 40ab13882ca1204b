"""The text of a token: `chat_`, 30 random letters and digits, and a checksum of six.

The prefix and the checksum are for programs that look for secrets in code and logs: what matches PATTERN and has the
right checksum is a token, and nothing else is. So a mistyped one is refused without a look into the database.
"""

import hashlib
import re
import secrets
import string
from binascii import crc32

PREFIX = "chat_"
RANDOM_LENGTH = 30  # characters of 62: 178 bits
CHECKSUM_LENGTH = 6  # characters of 62: 32 bits
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
PATTERN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}", re.ASCII)
# Masked: a mistyped or cut off token may still give one away. Secrets of links (chat_login_…) have a word more.
LOOKALIKE = re.compile(rf"{PREFIX}(?:[a-z]{{1,20}}_)?[0-9A-Za-z]{{24,}}", re.ASCII)
MASK = "***"
MASKED = f"{PREFIX}{MASK}"


def make() -> str:
    """A new token. It is shown once: `digest` is what is stored of it."""
    random = "".join(secrets.choice(DIGITS) for _ in range(RANDOM_LENGTH))
    return f"{PREFIX}{random}{checksum(random)}"


def checksum(random: str) -> str:
    """The CRC-32 of the random part in base 62, its digits in the order 0-9, A-Z, a-z, six of them."""
    number, digits = crc32(random.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits


def is_well_formed(text: str) -> bool:
    if not PATTERN.fullmatch(text):
        return False
    random = text[len(PREFIX) : -CHECKSUM_LENGTH]
    return text.endswith(checksum(random))


def digest(token: str) -> str:
    """The SHA-256 of a token, in hexadecimal digits. A token is random enough for a hash without salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def masked(text: str) -> str:
    """`text` with MASKED in the place of each token, and of all that begins like one."""
    return LOOKALIKE.sub(MASKED, text) if PREFIX in text else text
