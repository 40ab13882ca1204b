"""The site that an export comes from."""

from django.utils.crypto import salted_hmac


def site_id() -> str:
    """The same for all exports of this site while it keeps its SECRET_KEY, and another one than that of any other."""
    return salted_hmac("chat.storage.transfer.site", "site").hexdigest()[:16]
