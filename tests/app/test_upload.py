"""The Upload page: good pictures, bad ones, many, and what can be taken away."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.images import encode_png
from pages.components import cached, reading

File = tuple[str, bytes, str]


def texts(app: AppTest) -> list[str]:
    return [found for block in app.get("html") for found in re.findall('dl-text" role="status">([^<]*)', block.value)]


def sentences(app: AppTest) -> list[str]:
    return [found for block in app.get("html") for found in re.findall('dl-sentence">(.*?)</p>', block.value)]


def put(app: AppTest, *files: File) -> AppTest:
    return app.file_uploader(key="files").set_value(list(files)).run()


def test_with_nothing_uploaded_samples_are_offered(upload: AppTest) -> None:
    assert not upload.exception
    offered = [button for button in upload.button if str(button.key).startswith("choose-")]
    assert len(offered) >= 8
    assert not upload.header, "no results yet"


def test_one_digit_is_answered_as_on_draw(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("whiteboard.jpg"))
    assert not upload.exception
    assert sentences(upload) == ["2, quite sure."]
    assert len(upload.get("plotly_chart")) == 1
    assert any("Centred" in button.label for button in upload.button), "a picture alone shows its steps at once"
    assert not upload.dataframe, "one picture needs no table"


def test_several_digits_are_read_in_order(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("two-lines.jpg"))
    assert texts(upload) == ["31415\n92650"]


def test_one_of_several_digits_can_be_looked_at_closer(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("two-lines.jpg"))
    assert not sentences(upload)
    upload.pills[0].set_value(2).run()
    assert not upload.exception
    assert sentences(upload)[0].startswith("4")
    assert any("Centred" in button.label for button in upload.button)


def test_people_decide_whether_it_is_one_digit_or_many(upload: AppTest, sample: Callable[[str], File]) -> None:
    put(upload, sample("red-pen.jpg"))
    assert texts(upload) == ["10"]
    upload.segmented_control[0].set_value("One digit").run()
    assert not texts(upload)
    assert len(sentences(upload)) == 1


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.png", b"", "empty.png is empty"),
        ("notes.txt", b"seven", "text file"),
        ("cut.png", encode_png(np.zeros((40, 40), np.uint8))[:60], "damaged or incomplete"),
        ("<b>bold</b>.png", b"", "is empty"),
    ],
)
def test_a_bad_file_gets_its_sentence_and_the_others_are_done(
    upload: AppTest, sample: Callable[[str], File], name: str, data: bytes, says: str
) -> None:
    put(upload, (name, data, "image/png"), sample("whiteboard.jpg"))
    assert not upload.exception
    assert len(upload.error) == 1
    assert says in upload.error[0].value
    assert sentences(upload) == ["2, quite sure."]
    table = upload.dataframe[0].value
    assert list(table["Picture"]) == [name, "whiteboard.jpg"]
    assert says in table["Remark"][0]
    assert list(table["Reads"]) == ["", "2"]
    assert not any("<b>bold" in block.value for block in upload.get("html")), "names are no markup"


def test_a_blank_picture_gets_no_guess(upload: AppTest) -> None:
    put(upload, ("paper.png", encode_png(np.full((300, 200), 250, np.uint8)), "image/png"))
    assert not upload.exception
    assert sentences(upload) == ["No digit yet."]


def test_many_files_come_in_pages_and_in_one_table(upload: AppTest) -> None:
    files = [(f"{number}.png", _bar(number), "image/png") for number in range(reading.MOST_PICTURES + 3)]
    put(upload, *files)
    assert not upload.exception
    assert len(upload.dataframe[0].value) == reading.MOST_PICTURES
    assert "the first 50 are read" in upload.warning[0].value
    assert len(sentences(upload)) == 6


def _bar(number: int) -> bytes:
    picture = np.zeros((60, 60), np.uint8)
    picture[10:50, 26:32] = 255
    picture[0, 0] = number  # so that no two files are the same
    return encode_png(picture)


def test_pictures_are_read_once_however_often_the_page_runs(
    upload: AppTest, sample: Callable[[str], File], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(upload, sample("whiteboard.jpg"))
    monkeypatch.setattr(cached.images, "decode", lambda *args: pytest.fail("decoded again"))
    upload.run()
    assert not upload.exception
    assert sentences(upload) == ["2, quite sure."]


def test_samples_are_chosen_and_put_back(upload: AppTest) -> None:
    upload.button(key="choose-chalkboard.jpg").click().run()
    assert sentences(upload) == ["4, quite sure."]
    upload.button(key="choose-chalkboard.jpg").click().run()
    assert not sentences(upload)


def test_what_is_no_digit_is_shown_as_a_guess(upload: AppTest) -> None:
    upload.button(key="choose-letter.jpg").click().run()
    assert len(sentences(upload)) == 1
    assert "quite sure" not in sentences(upload)[0]
    assert any("dl-digit dl-guess" in block.value for block in upload.get("html"))


def test_the_camera_is_off_until_somebody_turns_it_on(upload: AppTest) -> None:
    assert not upload.camera_input
    upload.toggle(key="camera-on").set_value(True).run()
    shot = (cached.SAMPLES / "whiteboard.jpg").read_bytes()
    upload.camera_input(key="camera").set_value(("shot.jpg", shot, "image/jpeg")).run()
    assert not upload.exception
    assert sentences(upload) == ["2, quite sure."]


def test_two_networks_read_the_same_pictures(upload: AppTest, sample: Callable[[str], File]) -> None:
    upload.sidebar.selectbox(key="compare").select("classic-50-50").run()
    put(upload, sample("whiteboard.jpg"), sample("two-lines.jpg"))
    assert not upload.exception
    table = upload.dataframe[0].value
    assert list(table["Network"]) == ["ann", "classic-50-50"] * 2
    assert len(texts(upload)) == 2


def test_csv_cells_are_no_formulas() -> None:
    rows = [{"Picture": name, "Sure": 0.5} for name in ("=1+1", "+1", "-1", "@x", "\tx", "fine.png", "a=b")]
    lines = reading.as_csv(rows).splitlines()
    assert lines == [
        "Picture,Sure",
        "'=1+1,0.5",
        "'+1,0.5",
        "'-1,0.5",
        "'@x,0.5",
        "'\tx,0.5",
        "fine.png,0.5",
        "a=b,0.5",
    ]


def test_numbers_are_left_alone_in_csv() -> None:
    assert reading.as_csv([{"Change": -0.5, "Empty": None}]).splitlines() == ["Change,Empty", "-0.5,"]
