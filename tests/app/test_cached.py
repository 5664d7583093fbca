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
