"""Avatars: the square pictures that users show of themselves."""

from django.urls import reverse

EDGE = 256  # pixels
VERSION_LENGTH = 8  # digits of an avatar's id, in its address


def version_of(avatar: str) -> str:
    """The version of an avatar, which tells it from the next: the beginning of its id."""
    return avatar[:VERSION_LENGTH]


def avatar_path(person_id: str, avatar: str) -> str:
    """The path of the address of an avatar. Another picture has another address, so browsers may keep each for good."""
    return f"{reverse('avatar', args=[person_id])}?v={version_of(avatar)}"
