"""How many events may be rendered in one turn of the event loop."""

from chat.delivery.turn_budget import TurnBudget


class RenderingBudget(TurnBudget):
    """Shared by all listeners of an event loop whose events are rendered for few of them, or for one.

    An event that is said to five hundred different subscriptions is rendered five hundred times. In one go that would
    take a tenth of a second, in which the process does nothing else.
    """

    per_turn = 50  # renderings, of which each takes 0.1 to 0.3 ms, if it is a subscription's own
