"""The address that limits count a connection under."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any


def address_of(scope: Mapping[str, Any] | None) -> str | None:
    """The client of an ASGI connection: `192.0.2.7`, `2001:db8:1:2::/64`; None for a Unix socket.

    An IPv6 client usually has a /64 to choose addresses from, so a /64 counts as one.
    """
    host, *_ = (scope and scope.get("client")) or ("",)
    return _counted_under(host or "")


@lru_cache(maxsize=1000)  # addresses: one connection asks several times, and from a few addresses there come many
def _counted_under(host: str) -> str | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False))
