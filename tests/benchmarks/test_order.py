"""Offsets as a listener hears them, and what is said to be wrong with them."""

import pytest

from benchmarks.order import Order


@pytest.mark.parametrize(
    ("after", "heard", "lost", "doubled", "disordered"),
    [
        (None, [], 0, 0, 0),
        (None, [7, 8, 9], 0, 0, 0),  # one that comes in the middle
        (0, [1, 2, 3], 0, 0, 0),
        (0, [2, 3], 1, 0, 0),  # one that comes back, and does not get the first
        (0, [1, 4, 5], 2, 0, 0),
        (0, [1, 2, 2, 3], 0, 1, 0),
        (0, [1, 3, 2, 4], 0, 0, 1),
        (0, [1, 3, 2, 2, 4], 0, 1, 1),
        (None, [7, 6], 0, 1, 0),  # from before it came: not due
    ],
)
def test_order_counts_what_is_wrong(after, heard, lost, doubled, disordered):
    order = Order(after)
    for offset in heard:
        order.hear(offset)
    assert (order.lost, order.doubled, order.disordered) == (lost, doubled, disordered)
