import pytest

from chat.domain.addresses import address_of


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.7", 4711), "192.0.2.7"),
        (["192.0.2.7", 4711], "192.0.2.7"),
        (("::ffff:192.0.2.7", 4711), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 4711), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 4711), "2001:db8:1:2::/64"),
        (("2001:db8:1:3::1", 4711), "2001:db8:1:3::/64"),
        (("fe80::1%eth0", 4711), "fe80::/64"),
        (("::1", 4711), "::/64"),
        (("", 0), None),
        (("/run/chat.sock", 0), None),
        (("testclient", 50000), None),
        (None, None),
        ((None, None), None),
        ([], None),
    ],
)
def test_address_of_gives_an_ipv4_address_or_an_ipv6_network_of_64_bits(client: object, address: str | None) -> None:
    assert address_of({"client": client}) == address


def test_address_of_a_scope_without_a_client_is_none() -> None:
    assert address_of({}) is None
    assert address_of(None) is None
