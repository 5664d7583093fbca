"""Is the label wrong? Suspects voted on, undone, kept, taken away and brought back, and what it changes."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import suspects, votes
from mnist_core.images import encode_png
from mnist_core.predictions import Predictions
from mnist_core.suspects import Suspects
from mnist_core.votes import Vote, Votes
from pages.components import cached

ROOT = Path(__file__).parents[2]
MISTAKES = "pages/understand/mistakes.py"
PATIENCE = 60
ANNA = "a" * 22


def answers(name: str = "ann") -> Predictions:
    run, digits = cached.all_runs()[name], cached.dataset("builtin")
    return cached.evaluation(run.name, run.created, digits.fingerprint, run, digits).future.result(PATIENCE)


def ranked(*names: str) -> Suspects:
    return suspects.rank([answers(name) for name in names or ("ann",)])


def open_labels(source: str = "builtin") -> AppTest:
    """The app at Mistakes, asking for wrong labels."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.session_state["visitor"] = ANNA
    app.run().switch_page(MISTAKES).run()
    app.segmented_control(key="data").set_value(source).run()
    if source == "builtin":
        answers()
    app.segmented_control(key="look").set_value("labels").run()
    assert not app.exception
    return app


@pytest.fixture
def app(networks: None) -> AppTest:
    """The page with the built-in digits."""
    cached.evaluation.clear()  # of a home that is gone
    return open_labels()


def html(app: AppTest) -> str:
    return "".join(block.value for block in app.get("html"))


def shown(app: AppTest) -> list[int]:
    return [int(str(button.key)[8:]) for button in app.button if re.fullmatch(r"suspect-\d+", str(button.key))]


def current(app: AppTest) -> int:
    return int(re.findall(r"Number ([\d,]+) of", html(app))[0].replace(",", ""))


def kept() -> Votes:
    digits = cached.dataset("builtin")
    return votes.load("builtin", digits.fingerprint, digits.test_labels, ANNA)


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception


def another(row: int) -> int:
    return (int(answers().labels[row]) + 3) % 10


def test_the_least_believed_labels_come_first_and_the_first_is_asked(app: AppTest) -> None:
    rows = ranked().rows
    assert shown(app) == rows[:24].tolist()
    assert current(app) == rows[0]
    assert f"Labelled {answers().labels[rows[0]]}. Is it one?" in html(app)
    assert len([button for button in app.button if re.fullmatch(r"vote-\d", str(button.key))]) == 9


def test_a_label_that_is_hardly_believed_gets_less_than_the_least_that_is_written(app: AppTest) -> None:
    rows, given = [int(row) for row in ranked().rows[:24]], ranked().confidence
    row = next(row for row in rows if given[row] < 0.001)
    press(app, f"suspect-{row}")
    assert f"the {answers().labels[row]} gets less than 0.1%." in html(app)


def test_votes_go_on_to_the_next_and_change_the_accuracy_and_undo_takes_them_back(app: AppTest) -> None:
    rows = [int(row) for row in ranked().rows[:4]]
    press(app, "vote-right")
    assert current(app) == rows[1]
    press(app, f"vote-{another(rows[1])}")
    press(app, "vote-unclear")
    assert current(app) == rows[3]
    cast = {rows[0]: Vote("right"), rows[1]: Vote("wrong", another(rows[1])), rows[2]: Vote("unclear")}
    assert kept().cast == cast
    assert "<b>3</b> of" in html(app)
    everything, rest = (votes.accuracy(answers(), without) for without in (None, kept().disputed))
    assert everything is not None
    assert rest is not None
    found = re.findall('dl-figure">(.*?)<.*?dl-interval">(.*?)<', html(app))
    assert found == [
        (f"{one.share:.2%}", f"{one.interval.low:.2%} to {one.interval.high:.2%}") for one in (everything, rest)
    ]
    press(app, "vote-undo")
    assert current(app) == rows[2]
    assert set(kept().cast) == {rows[0], rows[1]}
    press(app, f"suspect-{rows[1]}")
    assert current(app) == rows[1]
    press(app, "vote-none")
    assert set(kept().cast) == {rows[0]}
    press(app, "vote-undo")
    assert kept().cast[rows[1]] == cast[rows[1]]


def test_votes_are_there_again_after_a_reload_for_whoever_cast_them(app: AppTest) -> None:
    rows = [int(row) for row in ranked().rows[:2]]
    press(app, "vote-unclear")
    again = open_labels()
    assert current(again) == rows[1]
    assert "<b>1</b> of" in html(again)
    again.session_state["visitor"] = "b" * 22
    del again.session_state["ballots"]
    again.run()
    assert "<b>0</b> of" in html(again)


def test_two_windows_of_one_person_do_not_overwrite_each_other(app: AppTest) -> None:
    rows = [int(row) for row in ranked().rows[:2]]
    other = open_labels()
    press(app, "vote-unclear")
    press(other, f"suspect-{rows[1]}")
    press(other, "vote-right")
    assert kept().cast == {rows[0]: Vote("unclear"), rows[1]: Vote("right")}


def test_several_networks_judge_together(app: AppTest) -> None:
    answers("classic-50-50")
    app.multiselect(key="judges").set_value(["classic-50-50"]).run()
    assert not app.exception
    assert shown(app) == ranked("ann", "classic-50-50").rows[:24].tolist()
    assert "The 2 networks together read a " in html(app)


def test_a_home_that_cannot_be_written_is_said_and_the_votes_stay(app: AppTest, digit_lab_home: Path) -> None:
    (digit_lab_home / "votes").parent.mkdir(parents=True, exist_ok=True)
    (digit_lab_home / "votes").write_text("a file where the folder should be")
    press(app, "vote-unclear")
    press(app, "vote-right")
    assert "Your votes cannot be kept" in app.warning[0].value
    assert "<b>2</b> of" in html(app)
    assert not app.download_button(key="votes-csv").disabled
    press(app, "vote-undo")
    assert "<b>1</b> of" in html(app)


def test_kept_votes_that_are_damaged_are_said(app: AppTest, digit_lab_home: Path) -> None:
    press(app, "vote-unclear")
    next((digit_lab_home / "votes").rglob("*.json")).write_text("{}")
    again = open_labels()
    assert "damaged" in again.warning[0].value
    press(again, "vote-right")
    assert not again.warning
    assert len(kept()) == 1


def test_votes_are_brought_in_and_a_forged_file_gets_a_sentence(app: AppTest) -> None:
    digits = cached.dataset("builtin")
    row = int(ranked().rows[5])
    brought = Votes("builtin", digits.fingerprint, digits.test_labels, {row: Vote("wrong", another(row))})
    press(app, "vote-unclear")
    first = dict(kept().cast)
    app.file_uploader(key="votes-file-0").set_value(("v.csv", votes.as_csv(brought).encode(), "text/csv")).run()
    assert not app.exception
    assert "1 vote was brought in" in app.success[0].value
    assert kept().cast == {**first, **brought.cast}
    forged = json.loads(votes.as_json(brought))
    forged["votes"][0]["digit"] = "<script>alert(1)</script>"
    file = ("<b>.json", json.dumps(forged).encode(), "application/json")
    app.file_uploader(key="votes-file-1").set_value(file).run()
    assert not app.exception
    assert "says nothing that a vote can say" in app.error[0].value
    press(app, "vote-undo")
    assert kept().cast == first, "what was brought in goes as one"


def test_a_second_page_follows_the_votes(app: AppTest) -> None:
    rows = ranked("classic-50-50").to_look_at()
    app.selectbox(key="run").set_value("classic-50-50").run()
    assert len(rows) > 24
    press(app, f"suspect-{rows[23]}")
    press(app, "vote-right")
    assert current(app) == rows[24]
    assert shown(app) == rows[24:48].tolist()


def test_a_forged_address_opens_the_page_as_it_is(networks: None) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params.update({"look": "<script>", "data": "../etc"})
    app.run().switch_page(MISTAKES).run()
    assert not app.exception
    app.session_state["suspect"] = "<b>"
    app.session_state["suspects-page"] = 10**9
    app.segmented_control(key="data").set_value("builtin").run()
    answers()
    app.segmented_control(key="look").set_value("labels").run()
    assert not app.exception
    assert shown(app)[0] == current(app)


def test_without_mnist_the_way_to_pictures_is_shown(networks: None) -> None:
    app = open_labels("mnist")
    assert "MNIST's are not on this machine" in app.info[0].value
    assert "Get MNIST (11 MB)" in [button.label for button in app.button]
    press(app, "labels-get-builtin")
    answers()
    app.run()
    assert shown(app)


def test_three_pictures_of_ones_own(networks: None) -> None:
    app = open_labels("own")
    rng, file = np.random.default_rng(1), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for label in (0, 1, 7):
            picture = np.full((60, 60), 250, np.uint8)
            picture[10:50, 25:35] = rng.integers(0, 40)
            archive.writestr(f"{label}.png", encode_png(picture))
    app.file_uploader(key="own").set_value(("three.zip", file.getvalue(), "application/zip")).run()
    for _ in range(200):
        if shown(app):
            break
        app.run()
    assert not app.exception
    assert len(shown(app)) == 3
    for _ in range(3):
        press(app, "vote-unclear")
    assert "<b>3</b> of 3" in html(app)
    assert "No digit is left." in html(app)
