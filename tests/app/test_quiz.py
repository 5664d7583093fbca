"""The Quiz page: chosen, played to the end, told what was missed, played again; and what can be missing or forged."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import quiz
from mnist_core.images import encode_png
from mnist_core.predictions import Predictions
from mnist_core.quiz import Quiz
from pages.components import cached
from tests.app.conftest import run_without_a_mistake

ROOT = Path(__file__).parents[2]
QUIZ = "pages/understand/quiz.py"
PATIENCE = 60


def answers(name: str = "ann") -> Predictions:
    run, digits = cached.all_runs()[name], cached.dataset("builtin")
    return cached.evaluation(run.name, run.created, digits.fingerprint, run, digits).future.result(PATIENCE)


def open_quiz(source: str = "builtin", **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run().switch_page(QUIZ).run()
    app.query_params.update(address)
    app.segmented_control(key="data").set_value(source).run()
    if source == "builtin":
        answers()
        app.run()
    assert not app.exception
    return app


@pytest.fixture(autouse=True)
def nothing_evaluated(networks: None) -> None:
    """Forget the answers of a home that is gone."""
    cached.evaluation.clear()


@pytest.fixture
def app() -> AppTest:
    """The page with the built-in digits."""
    return open_quiz()


def html(app: AppTest) -> str:
    return "".join(block.value for block in app.get("html"))


def game(app: AppTest) -> Quiz:
    return app.session_state["quiz"]


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception


def play(app: AppTest, wrong: int = 0) -> None:
    """Answer all, the first ones as the network would have or else with a wrong digit."""
    for at, question in enumerate(game(app).questions):
        other = question.read if question.hard else (question.label + 1) % 10
        press(app, f"quiz-{other if at < wrong else question.label}")
        press(app, "quiz-next")


@pytest.mark.parametrize("length", quiz.LENGTHS)
def test_as_many_questions_as_were_chosen(app: AppTest, length: int) -> None:
    app.segmented_control(key="quiz-length").set_value(length).run()
    press(app, "quiz-start")
    seed = int(app.query_params["seed"])
    assert game(app).questions == quiz.make(answers(), length, seed).questions
    assert f"<b>Question 1</b> of {len(game(app).questions)}" in html(app)
    assert len([button for button in app.button if re.fullmatch(r"quiz-\d", str(button.key))]) == 10


def seed_where(read: int, label: int) -> int:
    """A seed with which the network reads the first digit as `read`, and the second one is labelled `label`."""
    for seed in range(quiz.MOST_SEED):
        first, second = quiz.make(answers(), quiz.LENGTHS[0], seed).questions[:2]
        if (first.read, second.label) == (read, label):
            return seed
    raise AssertionError("there is no such quiz")


@pytest.mark.parametrize(
    ("read", "label", "words"), [(8, 3, ("ann read an 8", "Right, a 3.")), (3, 8, ("ann read a 3", "Right, an 8."))]
)
def test_there_is_feedback_after_each_answer_and_no_going_on_without_one(
    read: int, label: int, words: tuple[str, str]
) -> None:
    app = open_quiz(seed=str(seed_where(read, label)))
    press(app, "quiz-start")
    first = game(app).questions[0]
    assert app.button(key="quiz-next").disabled
    assert "Which digit is it?" in html(app)
    assert "ann read" not in html(app), "nothing is given away before the answer"
    wrong = (first.label + 1) % 10
    press(app, f"quiz-{wrong}")
    assert f"It is labelled {first.label}. You said {wrong}." in html(app)
    assert words[0] in html(app)
    press(app, f"quiz-{first.label}")
    assert game(app).answers == (wrong,), "the first answer counts"
    press(app, "quiz-next")
    assert "<b>Question 2</b>" in html(app)
    press(app, f"quiz-{label}")
    assert words[1] in html(app)


def test_both_scores_stand_at_the_end_with_those_that_were_missed(app: AppTest) -> None:
    press(app, "quiz-start")
    play(app, wrong=3)
    missed = game(app).missed
    assert len(missed) == 3
    hard = sum(question.hard for question, _ in missed)
    figures = re.findall('dl-figure">(.*?)<', html(app))
    assert figures == [f"{5 - hard} of 5", f"{5 - (3 - hard)} of 5", "0 of 5", "5 of 5"]
    assert "You win: you read 7 of 10 right, ann 5." in html(app)
    for question, answer in missed:
        assert f"Labelled {question.label}, you said {answer}, ann read {question.read}" in html(app)


def test_again_with_others_the_same_again_and_another_length(app: AppTest) -> None:
    answers("classic-50-50")  # it makes enough mistakes for two games
    app.selectbox(key="run").set_value("classic-50-50").run()
    press(app, "quiz-start")
    first = game(app).questions
    play(app)
    assert "Well read!" in "".join(caption.value for caption in app.caption)
    press(app, "quiz-others")
    assert not {one.row for one in game(app).questions} & {one.row for one in first}
    assert app.query_params["turn"] == "1"
    second = game(app).questions
    play(app)
    press(app, "quiz-same")
    assert game(app).questions == second
    play(app)
    press(app, "quiz-back")
    assert app.segmented_control(key="quiz-length").value == 10
    assert "seed" not in app.query_params


def test_a_second_network_plays_too(app: AppTest) -> None:
    answers("classic-50-50")
    app.selectbox(key="compare").set_value("classic-50-50").run()
    press(app, "quiz-start")
    play(app)
    score = game(app).score_of(answers("classic-50-50"))
    assert re.findall('dl-figure">(.*?)<', html(app))[4:] == [f"{score.hard} of 5", f"{score.easy} of 5"]


def test_another_network_puts_the_quiz_away(app: AppTest) -> None:
    press(app, "quiz-start")
    answers("classic-50-50")
    app.selectbox(key="run").set_value("classic-50-50").run()
    assert not app.exception
    assert "classic-50-50 reads " in html(app)
    press(app, "quiz-start")
    press(app, "quiz-stop")
    assert "classic-50-50 reads " in html(app)


def test_an_address_gives_the_same_quiz_and_a_forged_one_another() -> None:
    app = open_quiz(questions="20", seed="77", turn="2")
    assert app.segmented_control(key="quiz-length").value == 20
    press(app, "quiz-start")
    assert game(app).questions == quiz.make(answers(), 20, 77, 2).questions
    for forged in (
        {"seed": "<b>", "turn": "-1", "questions": "9999999"},
        {"seed": "9" * 40, "turn": "\N{SUPERSCRIPT TWO}"},
    ):
        app = open_quiz(**forged)
        press(app, "quiz-start")
        assert len(game(app).questions) == 10


def test_a_network_without_a_mistake_is_asked_what_it_was_least_sure_of(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_without_a_mistake(app, monkeypatch)
    assert "reads all 359 digits right" in html(app)
    press(app, "quiz-start")
    play(app)
    assert "makes no mistake here" in "".join(caption.value for caption in app.caption)


def test_without_mnist_the_way_to_pictures_is_shown() -> None:
    app = open_quiz("mnist")
    assert "MNIST's are not on this machine" in app.info[0].value
    assert "Get MNIST (11 MB)" in [button.label for button in app.button]


@pytest.mark.parametrize("pictures", [1, 3])
def test_few_pictures_of_ones_own(pictures: int) -> None:
    app = open_quiz("own")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for label in range(pictures):
            picture = np.full((60, 60), 250, np.uint8)
            picture[10:50, 20 + 3 * label : 30 + 3 * label] = 10
            archive.writestr(f"{label}.png", encode_png(picture))
    app.file_uploader(key="own").set_value(("few.zip", file.getvalue(), "application/zip")).run()
    for _ in range(200):
        if len(app.info) or "Can you" in html(app):
            break
        app.run()
    assert not app.exception
    if pictures == 1:
        assert "at least two digits" in app.info[0].value
        return
    press(app, "quiz-start")
    assert len(game(app).questions) == 2
    play(app)
    assert "of 2 right" in html(app)
