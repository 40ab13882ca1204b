"""Where requests may go: public addresses, at some ports, and the networks of CHAT_OUTGOING_NETWORKS at any.

The lists are spelt out, from IANA's registries of special-purpose addresses: what Python's `is_global` says differs
from version to version, and it takes multicast for global.
"""

from collections.abc import Container
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

from chat.outgoing.problems import Problem

WEB_PORTS = frozenset({80, 443})
# Receivers of webhooks listen at others too. Those below are of the system's services, like mail, which take commands
# line by line, so that a request may be one.
RECEIVERS_PORTS = WEB_PORTS | frozenset(range(1024, 65536))

SPECIAL_IPV4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a provider
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata of cloud machines
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
GLOBAL_IPV6 = IPv6Network("2000::/3")  # all that has been given to networks of the internet
SPECIAL_IPV6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, with Teredo, which has IPv4 addresses in it
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which has IPv4 addresses in it
        "3fff::/20",  # documentation
    )
]
# IPv4 in IPv6: the address is in the last 32 bits. By NAT64, a host that has only IPv6 reaches public IPv4 addresses.
MAPPED = IPv6Network("::ffff:0:0/96")
NAT64 = IPv6Network("64:ff9b::/96")


def objection(host: str, port: int, ports: Container[int] = WEB_PORTS) -> Problem | None:
    """Why no connection to that address may be opened; None if it may. `host` is an IP address, as a socket takes it.

    `ports` are those at which public addresses are asked.
    """
    address = _unwrapped(ip_address(host.partition("%")[0]))
    if any(address in ip_network(network) for network in settings.CHAT_OUTGOING_NETWORKS):
        return None
    if not is_public(address):
        return Problem.PRIVATE_ADDRESS
    return None if port in ports else Problem.PORT


def early_objection(host: str, port: int, ports: Container[int]) -> Problem | None:
    """Why no connection may be opened, as far as the host of a URL tells. A name may lead anywhere: it is seen then."""
    if host.rstrip(".").lower() == "localhost":
        host = "127.0.0.1"
    try:
        return objection(host, port, ports)
    except ValueError:  # a name
        return Problem.PORT if port not in ports and not settings.CHAT_OUTGOING_NETWORKS else None


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the internet at large."""
    address = _unwrapped(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL_IPV4)
    return address in GLOBAL_IPV6 and not any(address in network for network in SPECIAL_IPV6)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that packets to this IPv6 address end at, where it stands for one."""
    if isinstance(address, IPv6Address) and (address in MAPPED or address in NAT64):
        return IPv4Address(address.packed[-4:])
    return address
