"""Addresses to which requests may be sent."""

from ipaddress import ip_address

import pytest
from pytest_django import Settings

from chat.outgoing.addresses import RECEIVERS_PORTS, early_objection, is_public, objection
from chat.outgoing.problems import Problem

PUBLIC = (
    "1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 223.255.255.255".split()
)
PUBLIC_IPV6 = (
    "2606:4700:4700::1111 2a00:1450:4001:80b::200e 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::808:808".split()
)
SPECIAL = """0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1
    203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255""".split()
SPECIAL_IPV6 = """:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::808:808 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
    2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 4000::1 5f00::1
    fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1""".split()


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_IPV6])
def test_public_addresses_may_be_connected_to_at_the_ports_of_the_web(address: str) -> None:
    assert is_public(ip_address(address))
    assert [objection(address, port) for port in (80, 443)] == [None, None]
    assert [objection(address, port) for port in (22, 8080)] == [Problem.PORT, Problem.PORT]


@pytest.mark.parametrize("address", [*SPECIAL, *SPECIAL_IPV6])
def test_special_addresses_may_not_be_connected_to(address: str) -> None:
    assert not is_public(ip_address(address))
    assert objection(address, 443) == Problem.PRIVATE_ADDRESS


def test_addresses_with_a_zone_may_not_be_connected_to() -> None:
    assert objection("fe80::1%eth0", 443) == Problem.PRIVATE_ADDRESS


def test_networks_of_the_setting_may_be_connected_to_at_any_port(settings: Settings) -> None:
    settings.CHAT_OUTGOING_NETWORKS = ["10.1.0.0/16", "fd00::/8"]
    for host, port in (("10.1.2.3", 8080), ("::ffff:10.1.2.3", 8080), ("fd00::7", 22)):
        assert objection(host, port) is None
    assert objection("10.2.0.1", 80) == Problem.PRIVATE_ADDRESS


@pytest.mark.parametrize(
    ("port", "problem"),
    [(1024, None), (8443, None), (65535, None), (25, Problem.PORT), (1023, Problem.PORT), (22, Problem.PORT)],
)
def test_receivers_of_webhooks_are_asked_at_other_ports_than_those_of_the_system(
    port: int, problem: Problem | None
) -> None:
    assert objection("1.1.1.1", port, RECEIVERS_PORTS) == problem
    assert objection("127.0.0.1", port, RECEIVERS_PORTS) == Problem.PRIVATE_ADDRESS


@pytest.mark.parametrize(
    ("host", "port", "networks", "problem"),
    [
        ("example.org", 8443, [], None),
        ("example.org", 25, [], Problem.PORT),
        ("example.org", 25, ["10.0.0.0/8"], None),
        ("10.0.0.1", 443, [], Problem.PRIVATE_ADDRESS),
        ("10.0.0.1", 443, ["10.0.0.0/8"], None),
        ("::1", 443, [], Problem.PRIVATE_ADDRESS),
        ("localhost", 443, [], Problem.PRIVATE_ADDRESS),
        ("LOCALHOST.", 443, [], Problem.PRIVATE_ADDRESS),
        ("localhost", 8000, ["127.0.0.0/8"], None),
    ],
)
def test_early_objection_is_to_what_a_url_tells(
    host: str, port: int, networks: list[str], problem: Problem | None, settings: Settings
) -> None:
    settings.CHAT_OUTGOING_NETWORKS = networks
    assert early_objection(host, port, RECEIVERS_PORTS) == problem
