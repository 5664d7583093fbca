"""The Stress page: sliders and answers, curves measured in the background, forged addresses, no MNIST."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import stress_curves
from mnist_core.stress import DISTURBANCES, disturb
from mnist_core.stress_curves import Curve, Stopped
from pages.components import cached

ROOT = Path(__file__).parents[2]
STRESS = "pages/understand/stress.py"
PATIENCE = 60
TWO = ["classic-50-50", "ann"]


@pytest.fixture
def open_stress(networks: None) -> Callable[..., AppTest]:
    """Open the app at Stress with two networks; the arguments are the address's."""
    cached.stress_work.clear()  # of a home that is gone

    def open_one(**address: object) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run()
        app.switch_page(STRESS)
        for name, value in ({"networks": TWO} | address).items():
            app.query_params[name] = value
        return app.run()

    return open_one


@pytest.fixture
def app(open_stress: Callable[..., AppTest]) -> AppTest:
    app = open_stress()
    assert not app.exception
    return app


def html(app: AppTest) -> str:
    return "".join(block.value for block in app.get("html"))


def said(app: AppTest) -> list[tuple[str, str]]:
    """Each network's answer, and the word beside it."""
    return re.findall(r"<strong>(\d)</strong><span>\S (right|wrong)", html(app))


def expected(number: int, **strengths: float) -> list[tuple[str, str]]:
    """What the networks answer to a disturbed built-in digit."""
    digits = cached.dataset("builtin")
    image = disturb(np.divide(digits.test_images[number], 255, dtype=np.float32)[None], strengths)
    found = []
    for name in TWO:
        network = cached.recognizer(name, cached.all_runs()[name].created).result()
        digit = int(network.logits(image).argmax())
        found.append((str(digit), "right" if digit == digits.test_labels[number] else "wrong"))
    return found


def finished() -> None:
    """Wait until all that was wished is measured."""
    cached.stress_work()._pool.submit(lambda: None).result(PATIENCE)


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_without_mnist_the_built_in_digits_stand_in_and_are_said_to(app: AppTest) -> None:
    assert any("these are the **built-in digits**" in one.value for one in app.markdown)
    assert any(one.value.startswith("359 real digits") for one in app.caption), "what is shown is described"
    assert "Get MNIST (11 MB)" in buttons(app)
    assert f"Number 0, a {cached.dataset('builtin').test_labels[0]}" in html(app)
    assert said(app) == expected(0)


def test_the_sliders_are_the_librarys_disturbances(app: AppTest) -> None:
    assert {slider.key for slider in app.slider} == set(DISTURBANCES)
    for slider in app.slider:
        how = DISTURBANCES[slider.key]
        assert (slider.min, slider.max, slider.value) == (how.low, how.high, how.neutral)


def test_a_slider_changes_the_answers_and_is_set_back(app: AppTest) -> None:
    number = next(one for one in range(50) if expected(one, rotation=90, stroke=1.25) != expected(one))
    app.number_input(key="example").set_value(number).run()
    assert said(app) == expected(number)
    app.slider(key="rotation").set_value(90).run()
    app.slider(key="stroke").set_value(1.25).run()
    assert said(app) == expected(number, rotation=90, stroke=1.25)
    assert "Turned 90°, pen 1.25 pixels." in html(app)
    app.button(key="back-rotation").click().run()
    assert app.slider(key="rotation").value == 0
    assert said(app) == expected(number, stroke=1.25)
    app.button(key="stress-back").click().run()
    assert said(app) == expected(number)
    assert not app.exception


def test_a_link_brings_sliders_digit_and_networks(open_stress: Callable[..., AppTest]) -> None:
    app = open_stress(shift="4", contrast="60", example="7", networks=["ann"], over="Noise")
    assert not app.exception
    assert said(app) == [expected(7, shift=4, contrast=60)[1]]
    assert app.selectbox(key="over").value == "noise"


@pytest.mark.parametrize(
    "forged",
    [
        {"shift": "1e99", "rotation": "nan", "size": "-1", "stroke": "<b>", "noise": "0x10", "blur": ["1", "2"]},
        {"example": "-5"},
        {"example": "100000"},
        {"example": "nan"},
        {"example": "1e400", "take": "theirs", "data": "../etc"},
        {"networks": ["../../etc", "ann", "ann", "<script>"]},
        {"over": "__class__", "digits": "1000000"},
    ],
    ids=lambda forged: " ".join(forged),
)
def test_a_forged_address_is_no_error(open_stress: Callable[..., AppTest], forged: dict[str, object]) -> None:
    app = open_stress(**forged)
    assert not app.exception
    assert all(slider.value == DISTURBANCES[slider.key].neutral for slider in app.slider)
    assert said(app)[-1] == expected(0)[-1]
    assert "Measure" in buttons(app)


def test_no_network_no_drawing_and_no_pictures_say_what_to_do(app: AppTest) -> None:
    app.multiselect(key="networks").set_value([]).run()
    assert [one.value for one in app.info] == ["Choose at least one network above."]
    app.multiselect(key="networks").set_value(["ann"]).run()
    app.segmented_control(key="take").set_value("drawing").run()
    assert [one.value for one in app.info] == [
        "You have not drawn a digit yet. Draw one, and come back: it will be here."
    ]
    app.segmented_control(key="data").set_value("own").run()
    assert not app.exception
    assert "Bring your pictures" in app.info[0].value


def test_a_drawing_is_disturbed_and_not_marked(app: AppTest) -> None:
    from mnist_core.images import encode_png

    picture = np.zeros((280, 280), np.uint8)
    picture[40:240, 130:150] = 255
    app.session_state["drawing"] = SimpleNamespace(image=encode_png(picture))
    app.segmented_control(key="take").set_value("drawing").run()
    assert not app.exception
    assert "Your drawing" in html(app)
    assert not said(app) and "All read a 1." in html(app)


def test_a_smaller_dataset_has_its_own_first_digit(app: AppTest) -> None:
    app.session_state["example"] = 5000  # of MNIST's
    app.run()
    assert not app.exception
    assert app.number_input(key="example").value == 0


def test_a_curve_is_measured_once_shown_and_kept(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app.segmented_control(key="digits").set_value("250").run()
    app.button(key="stress-measure").click().run()
    finished()
    app.run()
    assert not app.exception
    digits = stress_curves.sample(cached.dataset("builtin"), 250)
    curves = [cached.stress_work().find(cached.all_runs()[name], digits, "shift") for name in TWO]
    assert all(curves)
    recipes = [cached.all_runs()[name].recipe for name in TWO]
    for sentence in stress_curves.sentences(curves, recipes):  # type: ignore[arg-type] # both are there
        assert sentence.replace("'", "&#x27;") in html(app)
    assert [button.label for button in app.get("download_button")] == ["Curves, CSV", "Curves, JSON"]
    assert "Measure" not in buttons(app)
    monkeypatch.setattr(stress_curves, "measure", lambda *_: pytest.fail("it is known"))
    app.slider(key="shift").set_value(3).run()
    cached.stress_work.clear()  # as after a new start of the server
    app.run()
    assert not app.exception
    assert "furthest apart" in html(app)


def test_a_curve_is_cancelled_and_can_be_wished_again(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def endless(recognizer: object, digits: object, name: str, tell: object, stopped: Callable[[], bool]) -> Curve:
        begun.set()
        while not stopped():
            threading.Event().wait(0.01)
        raise Stopped

    monkeypatch.setattr(stress_curves, "measure", endless)
    app.button(key="stress-measure").click().run()
    assert begun.wait(PATIENCE)
    app.run()
    assert "Cancel" in buttons(app) and "Measure" not in buttons(app)
    app.button(key="stress-cancel").click().run()
    finished()
    app.run()
    assert not app.exception
    assert any(one.value.startswith("Stopped. 2 networks read 359 digits") for one in app.markdown)
    assert "Measure" in buttons(app)


def test_a_full_server_is_said(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached.stress_work(), "_most_waiting", 0)
    app.button(key="stress-measure").click().run()
    assert not app.exception
    assert [one.value for one in app.error] == ["Many people are measuring at the moment. Try again in a minute."]


def test_the_smallest_change_is_found_for_the_digit_and_the_network_that_are_chosen(app: AppTest) -> None:
    app.selectbox(key="flip-run").set_value("classic-50-50").run()
    app.button(key="flip-find").click().run()
    run, digits = cached.all_runs()["classic-50-50"], cached.dataset("builtin")
    digit = np.divide(digits.test_images[0], 255, dtype=np.float32)
    found = cached.flip_of(run.name, run.created, digit.tobytes()).future.result(PATIENCE)
    app.run()
    assert not app.exception
    assert f"classic-50-50 now says {found.says} instead of {found.said}" in html(app)
    assert found.sentence in html(app).replace("&#x27;", "'")
    assert app.button(key="flip-find").disabled
    app.number_input(key="example").set_value(1).run()
    assert "now says" not in html(app), "that was another digit"
    assert not app.button(key="flip-find").disabled
