"""What the pages keep between reruns."""

import itertools

import pytest
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from pages.components import cached


def test_networks_are_left_alone_after_a_run_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit's tidying clears Keras' session, which the networks of everybody on the server are part of."""
    tidied: list[bool] = []
    monkeypatch.setattr(script_runner, "_clean_problem_modules", lambda: tidied.append(True))
    AppTest.from_string("").run()
    assert tidied == [True], "Streamlit tidies after every run"
    cached._loader.clear()
    AppTest.from_string("from pages.components import cached\ncached._loader()").run()
    assert tidied == [True], "and no more once networks are loaded"


def test_runs_are_listed_anew_when_the_time_is_up_however_fast_the_clock_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # So many seconds pass between two looks at the clock, also at Streamlit's own while it reads one value.
    for place, seconds in (
        (f"{cached.__name__}.monotonic", 2),
        ("streamlit.runtime.caching.cache_utils.TTLCACHE_TIMER", 3),
    ):
        monkeypatch.setattr(place, itertools.count(0.0, seconds).__next__, raising=False)
    cached.all_runs.clear()
    found = [cached.all_runs() for _ in range(9)]
    assert next(iter(found[0])) == "ann" and all(list(one) == list(found[0]) for one in found)
    lists = len({id(one) for one in found})
    assert 1 < lists < 9, "some are read anew, and not all"
    cached.all_runs.clear()


def test_a_photo_is_shown_small_and_a_strip_so_that_it_can_be_read() -> None:
    sizes = [(4000, 3000), (3000, 4000), (500, 500), (4000, 60), (60, 4000), (40_000_000, 1)]
    assert [cached.shown_side(size) for size in sizes] == [800, 800, 800, 5657, 5657, 10_000]
