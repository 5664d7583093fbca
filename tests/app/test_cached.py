"""What the pages keep between reruns."""

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


def test_a_photo_is_shown_small_and_a_strip_so_that_it_can_be_read() -> None:
    sizes = [(4000, 3000), (3000, 4000), (500, 500), (4000, 60), (60, 4000), (40_000_000, 1)]
    assert [cached.shown_side(size) for size in sizes] == [800, 800, 800, 5657, 5657, 10_000]
