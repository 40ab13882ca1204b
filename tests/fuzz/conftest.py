"""Number of examples, and the check that no error is in the log afterwards."""

import gc
import io
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import HypothesisWarning
from hypothesis.strategies import SearchStrategy

EXAMPLES = 10_000
EXAMPLES_BY_DEFAULT = 2_500  # in a run of all tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--examples", type=int, default=EXAMPLES_BY_DEFAULT, help="how much is tried altogether")
    parser.addoption("--seed", type=int, default=None, help="try others than always")


@pytest.fixture
def assail(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`assail(strike, share, inputs)`: calls `strike` with each of `share` of EXAMPLES inputs, or with more of them."""

    def run(strike: Callable[[Any], None], share: int, inputs: SearchStrategy[Any]) -> None:
        number = request.config.getoption("--seed", None)
        examples = share * request.config.getoption("--examples", EXAMPLES_BY_DEFAULT) // EXAMPLES
        options = settings(
            max_examples=max(examples, 1),
            derandomize=number is None,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        # Hypothesis shrinks what it finds, and a failure shows its report.
        test = options(given(inputs)(lambda one: strike(one)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)  # of long inputs, which it shows when they fail
            (test if number is None else seed(number)(test))()

    return run


@pytest.fixture(autouse=True)
def quiet_log(written_log: io.StringIO) -> Iterator[None]:
    """Fails on errors and tracebacks in the log, including asyncio's complaints at garbage collection."""
    yield
    gc.collect()
    assert not loud_lines(written_log.getvalue())


LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING) [\w.]+[^\x00-\x1f\x7f-\x9f]*")


def loud_lines(log: str) -> list[str]:
    """The first of the lines that should not be there: errors, tracebacks, and what a client has forged."""
    return [line for line in log.split("\n") if line and not LINE.fullmatch(line)][:5]
