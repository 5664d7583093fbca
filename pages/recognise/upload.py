"""Bring photos, scans or screenshots, and see what a network reads in them."""

from html import escape

import streamlit as st

from mnist_core import images, xray
from mnist_core.recognizer import Recognition, Recognizer
from pages.components import answer, gallery, reading, sidebar, steps
from pages.components.pictures import with_boxes
from pages.components.reading import Answers, Brought, Result

PER_PAGE = 6
ONE, ALL = "One digit", "All digits"
KINDS = f"PNG, JPEG, WebP, GIF or BMP, up to {images.MAX_BYTES // 2**20} MB each, {reading.MOST_PICTURES} at a time."


def brought() -> list[Brought]:
    """Everything that was uploaded, photographed or chosen."""
    files = st.file_uploader("Your pictures", accept_multiple_files=True, key="files", help=KINDS)
    found = [reading.as_brought(file.name, file.getvalue(), file.file_id) for file in files]
    if st.toggle("Use the camera", key="camera-on"):
        photo = st.camera_input("Hold the digits into the light", key="camera")
        if photo is not None:
            found.append(reading.as_brought("photo.jpg", photo.getvalue(), photo.file_id))
    found += gallery.choose()
    if len(found) > reading.MOST_PICTURES:
        st.warning(
            f"Of these {len(found)} pictures the first {reading.MOST_PICTURES} are read. Bring the others afterwards.",
            icon=":material/filter_none:",
        )
    return found[: reading.MOST_PICTURES]


def results(files: list[Brought]) -> None:
    """Read all pictures and show what came out."""
    networks = answer.recognizers(sidebar.chosen())
    if networks is None:
        answer.wait(sidebar.chosen())
        return
    if networks:
        overview(reading.see_all(files, networks[0]), networks)


@st.fragment
def overview(seen: list[Result], networks: list[Recognizer]) -> None:
    """The table of all pictures, and a card for each."""
    st.header("What the network reads")
    if len(seen) > 1:
        table(seen, networks)
    page = st.pagination(-(-len(seen) // PER_PAGE), key="results-page") if len(seen) > PER_PAGE else 1
    for result in seen[(page - 1) * PER_PAGE : page * PER_PAGE]:
        with st.container(border=True, key=f"card-{result.key}"):
            card(result, networks, alone=len(seen) == 1)


def table(seen: list[Result], networks: list[Recognizer]) -> None:
    """Every picture's result in a line, to take away as CSV."""
    rows = [line for result in seen for line in lines(result, networks)]
    if len(networks) == 1:
        rows = [{name: value for name, value in row.items() if name != "Network"} for row in rows]
    percent = st.column_config.NumberColumn(format="percent", help="The lowest probability among its digits.")
    st.dataframe(rows, hide_index=True, column_config={"Least sure": percent}, key="results-table")
    st.download_button(
        "Table as CSV",
        reading.as_csv(rows),
        "digits.csv",
        "text/csv",
        key="results-csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def lines(result: Result, networks: list[Recognizer]) -> list[dict[str, object]]:
    """One line for each network, or the one that says what is wrong with the file."""
    if result.seen is None:
        return [reading.row(result, None, False)]
    answers = reading.answers(result.seen, networks)
    several = takes_several(result, answers)
    return [reading.row(result, one, several) for one in answers]


def takes_several(result: Result, answers: list[Answers]) -> bool:
    """Whether the picture is read digit by digit: as its card says, or as the first network suggests."""
    chosen = st.session_state.get(f"{result.key}-way")
    return answers[0].several if chosen is None else chosen == ALL


def card(result: Result, networks: list[Recognizer], alone: bool) -> None:
    """One picture with what was found in it."""
    if result.seen is None:
        st.html(f'<h3 class="dl-name">{escape(result.name)}</h3>')
        st.error(result.problem, icon=":material/broken_image:")
        return
    answers = reading.answers(result.seen, networks)
    several = takes_several(result, answers)
    digits = answers[0].reading.recognitions if several else (answers[0].single,)
    picked = None
    with st.container(key=f"split-{result.key}"):
        with st.container(key=f"answer-{result.key}"):
            heading(result, several)
            if several:
                picked = page_of_digits(result, answers)
            else:
                columns(answers, [one.single for one in answers], result.key)
        with st.container(key=f"picture-{result.key}"):
            boxes = [(one.prepared.box, one.accepted) for one in digits if one.prepared.box is not None]
            framed = with_boxes(result.seen.shown, boxes, result.seen.scale, picked)
            st.image(framed, width="stretch", alt=f"{result.name}, digits found: {len(boxes)}")
    shown = answers[0].single if not several else None if picked is None else digits[picked]
    if shown is not None:
        step_by_step(result.key, shown, answers, alone)


def heading(result: Result, several: bool) -> None:
    """The picture's name, what was done to it, and the choice between one digit and all."""
    width, height = result.seen.size
    notes = " ".join([f"{width:,} by {height:,} pixels.", *result.seen.notes, result.remark])
    st.html(f'<h3 class="dl-name">{escape(result.name)}</h3><p class="dl-quiet">{escape(notes)}</p>')
    if sum(map(len, result.seen.page.lines)) > 1:
        st.segmented_control(
            "How many digits are in this picture?",
            [ONE, ALL],
            default=ALL if several else ONE,
            key=f"{result.key}-way",
            required=True,
            label_visibility="collapsed",
            persist_state="page",
        )


def columns(answers: list[Answers], recognitions: list[Recognition], key: str) -> None:
    """What each network says about one digit, side by side."""
    for column, one, recognition in zip(st.columns(len(answers)), answers, recognitions, strict=True):
        with column:
            name = one.recognizer.run.name
            answer.show(recognition, f"{key}-{name}", name if len(answers) > 1 else "")


def page_of_digits(result: Result, answers: list[Answers]) -> int | None:
    """The text that each network reads, and the digits to look closer at; tells which one was picked."""
    for one in answers:
        st.html(_text(one, one.recognizer.run.name if len(answers) > 1 else ""))
    digits = answers[0].reading.recognitions
    picked = st.pills(
        "Look closer at one digit",
        range(len(digits)),
        format_func=lambda number: _digit(digits[number]),
        key=f"{result.key}-digit",
        persist_state="page",
    )
    if picked is not None:
        columns(answers, [one.reading.recognitions[picked] for one in answers], f"{result.key}-{picked}")
    return picked


def _digit(recognition: Recognition) -> str:
    return str(recognition.digit) if recognition.accepted else f"{recognition.digit}?"


def _text(answers: Answers, name: str) -> str:
    digits = answers.reading.recognitions
    doubtful = sum(not one.accepted for one in digits)
    many = (
        f"{len(digits)} digits on {len(answers.reading.lines)} {'line' if len(answers.reading.lines) == 1 else 'lines'}"
    )
    doubt = f", {doubtful} of them uncertain and left out" if doubtful else ""
    whose = f'<p class="dl-whose">{escape(name)}</p>' if name else ""
    text = escape(answers.reading.text) or "?"
    return f'{whose}<pre class="dl-text" role="status">{text}</pre><p class="dl-quiet">{many}{doubt}.</p>'


def step_by_step(key: str, recognition: Recognition, answers: list[Answers], expanded: bool) -> None:
    """The strip of steps, made only when somebody opens it."""
    steps_shown = st.expander(
        "Step by step", expanded, icon=":material/view_carousel:", key=f"{key}-steps", on_change="rerun"
    )
    if steps_shown.open:
        with steps_shown:
            prepared = recognition.prepared
            stages = xray.stages(prepared, answers[0].recognizer) if prepared.box else ()
            steps.strip(prepared.steps, key, stages)
            answer.downloads(prepared, [(answers[0].recognizer.run, recognition)], key)


st.title("Read pictures")
st.markdown("Photos, scans or screenshots of handwritten digits: one digit, or a whole page.")
if files := brought():
    results(files)
