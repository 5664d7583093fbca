"""Bring photos, scans or screenshots, and see what a network reads in them."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from mnist_core import images, xray
from mnist_core.preprocess import Box, Settings
from mnist_core.recognizer import Recognition, Recognizer
from mnist_core.wording import as_written
from pages.components import answer, boxes, gallery, nearest, reading, sidebar, steps, switches
from pages.components.reading import Answers, Brought, Read, Result

MOST_PILLS = 40
_UNSEEN = "\N{ZERO WIDTH SPACE}"
CLOSER = "Look closer at one digit"
ONE, ALL = "One digit", "All digits"
_LARGEST = images.MAX_BYTES // 2**20  # MB
KINDS = f"PNG, JPEG, WebP, GIF or BMP, up to {_LARGEST} MB each; at most {reading.MOST_PICTURES} pictures."


def bring() -> None:
    """Let pictures be uploaded, photographed or chosen."""
    turn = reading.collection().turn
    files, camera = f"files-{turn}", f"camera-{turn}"
    st.file_uploader("Your pictures", accept_multiple_files=True, key=files, on_change=upload, args=(files,))
    st.caption(KINDS)
    # What comes and goes has a container that stays, so that nothing below it moves up and loses the focus.
    with st.container():
        if st.toggle("Use the camera", key="camera-on"):
            st.camera_input("Hold the digits into the light", key=camera, on_change=photograph, args=(camera,))
    with st.container():
        take_back()
    gallery.choose()


def upload(widget: str) -> None:
    """Add what was uploaded."""
    files = (file for file in st.session_state[widget] if isinstance(file, UploadedFile))  # not one that is gone
    reading.collection().bring(Brought(file.file_id, file.name, file.getvalue()) for file in files)


def photograph(widget: str) -> None:
    """Add a photo, and make the camera ready for the next one."""
    photo, brought = st.session_state[widget], reading.collection()
    if photo is not None:
        brought.photos, brought.turn = brought.photos + 1, brought.turn + 1
        name = "photo.jpg" if brought.photos == 1 else f"photo-{brought.photos}.jpg"
        brought.bring([Brought(photo.file_id, name, photo.getvalue())])


def take_back() -> None:
    """Say how many pictures are here, and take them all away if so wished."""
    brought = reading.collection()
    count = len(brought.pictures)
    if not (count or brought.removed):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="brought"):
        if count:
            st.markdown(f"**{count} {'picture' if count == 1 else 'pictures'}**, kept while you look at other pages.")
            all_of_them, icon = [one.key for one in brought.pictures], ":material/delete_sweep:"
            st.button(
                "Remove all", key="remove-all", icon=icon, type="tertiary", on_click=brought.remove, args=all_of_them
            )
        if brought.removed:
            files = [one.name for _, one, _ in brought.removed]
            gone, icon = as_written(files[0]) if len(files) == 1 else f"{len(files)} pictures", ":material/undo:"
            st.button(f"Bring back {gone}", key="bring-back", icon=icon, type="tertiary", on_click=brought.bring_back)
    if brought.left_out:
        st.warning(
            f"Of these {count + brought.left_out} pictures the first {count} are read. "
            "Remove some, then bring the others.",
            icon=":material/filter_none:",
        )


def results(files: Sequence[Brought]) -> None:
    """Read all pictures and show what came out."""
    networks = answer.recognizers(sidebar.chosen())
    if networks is None:
        answer.wait(sidebar.chosen())
    elif networks:
        overview(files, networks)


def wishes(key: str) -> tuple[Settings, tuple[Box, ...] | None, Mapping[Box, str]]:
    """What a person wants with a picture."""
    version = boxes.edits(key).now
    return switches.settings(key), version.boxes, version.corrections


@st.fragment
def overview(files: Sequence[Brought], networks: list[Recognizer]) -> None:
    """The table of all pictures, and a card for each."""
    st.header("What the network reads")
    seen = reading.see_all(files, networks[0], wishes)
    if len(seen) > 1:
        table(seen, networks)
    page = turn_to(-(-len(seen) // reading.PER_PAGE))
    for result in seen[(page - 1) * reading.PER_PAGE : page * reading.PER_PAGE]:
        with st.container(border=True, key=f"card-{result.key}"):
            card(result, networks, alone=len(seen) == 1)


def turn_to(pages: int) -> int:
    """The page of results that a person wants, the last one when theirs is gone."""
    if pages == 1:
        return 1
    if st.session_state.get("results-page", 1) > pages:
        st.session_state["results-page"] = pages
    return st.pagination(pages, key="results-page")


def table(seen: list[Result], networks: list[Recognizer]) -> None:
    """Every picture's result in a line, to take away as CSV."""
    rows = [line for result in seen for line in lines(result, networks)]
    if len(networks) == 1:
        rows = [{name: value for name, value in row.items() if name != "Network"} for row in rows]
    percent = st.column_config.NumberColumn(
        format="percent", help="The lowest probability among its digits, but for those that you put right."
    )
    digits = st.column_config.NumberColumn(help="How many are read; what is no digit is left out.")
    about = {"Least sure": percent, "Digits": digits}
    st.dataframe(rows, hide_index=True, column_config=about, placeholder="", key="results-table")
    with st.container(horizontal=True, gap="small", key="results-downloads"):
        take_away("Table as CSV", reading.as_csv(rows), "digits.csv", "results-csv")
        each = [row for result in seen for row in digits_of(result, networks[0])]
        if each:
            take_away("Every digit as CSV", reading.as_csv(each), "every-digit.csv", "every-csv")


def take_away(label: str, text: str, file: str, key: str) -> None:
    """A button that downloads a text."""
    kind = "text/csv" if file.endswith(".csv") else "text/plain"
    icon = ":material/download:"
    st.download_button(label, text, file, kind, key=key, icon=icon, type="tertiary", on_click="ignore")


def digits_of(result: Result, network: Recognizer) -> list[dict[str, object]]:
    """Each digit that a picture's card shows, for the table of them all."""
    if result.seen is None:
        return []
    (one,) = reading.answers(result, [network])
    return reading.table(result, one.reads if takes_several(result, [one]) else one.alone)


def lines(result: Result, networks: list[Recognizer]) -> list[dict[str, object]]:
    """One line for each network, or the one that says what is wrong with the file."""
    if result.seen is None:
        return [reading.row(result, None, False)]
    answers = reading.answers(result, networks)
    several = takes_several(result, answers)
    return [reading.row(result, one, several) for one in answers]


def takes_several(result: Result, answers: list[Answers]) -> bool:
    """Whether the picture is read digit by digit: as its card says, or as the first network suggests."""
    chosen = st.session_state.get(f"{result.key}-way")
    return answers[0].several if chosen is None else chosen == ALL


def card(result: Result, networks: list[Recognizer], alone: bool) -> None:
    """One picture with what was found in it."""
    if result.seen is None:
        title(result)
        st.error(as_written(result.problem), icon=":material/broken_image:")
        return
    answers = reading.answers(result, networks)
    several = takes_several(result, answers)
    with st.container(key=f"{'upload-page' if several else 'split'}-{result.key}"):
        with st.container(key=f"answer-{result.key}"):
            heading(result, several)
            if several:
                texts(answers)
            else:
                single(answers, result.key)
        with st.container(key=f"picture-{result.key}"):
            reads = answers[0].reads if several else answers[0].alone
            alt = f"{result.name}, digits found: {len(reads)}"
            (boxes.show if several else boxes.show_one)(result.key, result.seen, reads, alt)
        if several:
            with st.container(key=f"closer-{result.key}"):
                closer(result, answers)
    if several:
        sheet(result, answers)
    step_by_step(result, answers, several, alone)


def title(result: Result, notes: str = "") -> None:
    """The picture's name, with notes below it, and a button that takes it away."""
    with st.container(horizontal=True, wrap=False, gap="small", key=f"title-{result.key}"):
        quiet = f'<p class="dl-quiet">{escape(notes)}</p>' if notes else ""
        st.html(f'<h3 class="dl-name">{escape(result.name)}</h3>{quiet}', width="stretch")
        if st.button("Remove", key=f"{result.key}-remove", icon=":material/close:", type="tertiary"):
            reading.collection().remove(result.key)
            st.rerun()  # also what is outside of the fragment


def heading(result: Result, several: bool) -> None:
    """The picture's name, what was done to it, and the choice between one digit and all."""
    width, height = result.seen.size
    title(result, " ".join([f"{width:,} by {height:,} pixels.", *result.seen.notes, result.remark]))
    st.segmented_control(
        "How many digits are in this picture?",
        [ONE, ALL],
        default=ALL if several else ONE,
        key=f"{result.key}-way",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )


def single(answers: list[Answers], key: str) -> None:
    """What is said about the one digit of a picture."""
    recognitions = [one.single for one in answers]
    more = sum(bool(read.digit) for read in answers[0].reads)
    if more > 1 and not answers[0].single.prepared.several:  # or that is among its hints
        st.html(f'<p class="dl-quiet">There may be {more} digits in this picture: choose “{ALL}” to read them.</p>')
    if answers[0].alone:
        heard(answers, recognitions, answers[0].alone[0], key, key)
    else:
        columns(answers, recognitions, key)


def heard(answers: list[Answers], recognitions: list[Recognition], read: Read, key: str, name: str) -> None:
    """What each network says about a digit, after a person's word for it, and the way to give that."""
    if read.correction:
        by_hand(read)
    elif read.left_out:
        st.html(f'<p class="dl-quiet" role="status">{escape(read.left_out)}</p>')
    with st.container(key=f"{'overruled' if read.correction or read.left_out else 'heard'}-{key}"):
        columns(answers, recognitions, name)
    put_right(key, read)


def columns(answers: list[Answers], recognitions: list[Recognition], key: str) -> None:
    """What each network says about one digit, side by side."""
    for column, one, recognition in zip(st.columns(len(answers)), answers, recognitions, strict=True):
        with column:
            name = one.recognizer.run.name
            answer.show(recognition, f"{key}-{name}", name if len(answers) > 1 else "")


def texts(answers: list[Answers]) -> None:
    """The text that each network reads."""
    for one in answers:
        st.html(_text(one, one.recognizer.run.name if len(answers) > 1 else ""))


def _text(answers: Answers, name: str) -> str:
    lines = [line for line in reading.as_lines(answers.reads) if any(read.digit for read in line)]
    text = "\n".join("".join(map(_written, line)) for line in lines)
    digits = sum(bool(read.digit) for read in answers.reads)
    many = f"{digits} {'digit' if digits == 1 else 'digits'} on {len(lines)} {'line' if len(lines) == 1 else 'lines'}"
    doubt = reading.doubts(answers.reads)
    whose = f'<p class="dl-whose">{escape(name)}</p>' if name else ""
    return (
        f'{whose}<pre class="dl-text" role="status">{text or "No digits."}</pre>'
        f'<p class="dl-quiet">{many}{f": {doubt}" if doubt else "."}</p>'
    )


def _written(read: Read) -> str:
    """A digit of the text, marked where it is uncertain or a person's."""
    if read.kind == "unsure":
        return f'<span class="dl-unsure" title="{escape(read.sentence)}">{read.digit}<sup>?</sup></span>'
    return f'<span class="dl-hand">{read.digit}</span>' if read.kind == "hand" and read.digit else read.digit


def closer(result: Result, answers: list[Answers]) -> None:
    """One digit looked at closer, and all of them to take away."""
    reads, key = answers[0].reads, result.key
    picked = pick(key, reads)
    if picked is not None:
        recognitions = [one.reading.recognitions[picked] for one in answers]
        heard(answers, recognitions, reads[picked], key, f"{key}-{picked}")
    with st.container(horizontal=True, gap="small", key=f"{key}-downloads"):
        if reads:
            take_away("Text", reading.as_text(reads) + "\n", "digits.txt", f"{key}-text")
            take_away("Digits as CSV", reading.as_csv(reading.table(result, reads)), "digits.csv", f"{key}-csv")


def by_hand(read: Read) -> None:
    """What a person says that a digit is, before the network's word for it."""
    digit = f'<div class="dl-digit dl-hand" aria-hidden="true">{read.digit or "&times;"}</div>'
    words = f'<p class="dl-sentence">You say: {read.correction}.</p><p class="dl-quiet">{read.overruled}</p>'
    st.html(f'<div class="dl-answer" role="status">{digit}<div>{words}</div></div>')


def sheet(result: Result, answers: list[Answers]) -> None:
    """All digits of a picture in a table, made only when somebody opens it."""
    reads, changes = answers[0].reads, boxes.edits(result.key).changes
    shown = st.expander("All digits in a table", icon=":material/table:", key=f"{result.key}-sheet", on_change="rerun")
    if shown.open and reads:
        with shown:
            editor(result, reads, f"{result.key}-table-{changes}")


def pick(key: str, reads: Sequence[Read]) -> int | None:
    """The digits in their order, to pick one as on the picture; tells which one is picked."""
    edits, name = boxes.edits(key), f"{key}-digit"
    places = [read.box for read in reads]
    st.session_state[name] = places.index(edits.picked) if edits.picked in places else None
    if not reads:
        return None

    def take() -> None:
        number = st.session_state[name]
        edits.picked = None if number is None else places[number]

    if len(reads) > MOST_PILLS:
        return st.selectbox(
            CLOSER, range(len(reads)), format_func=lambda n: f"{n + 1}: {reads[n].tag}", key=name, on_change=take
        )
    # Pills go by their labels: spaces that nobody sees tell two equal digits apart.
    return st.pills(
        CLOSER, range(len(reads)), format_func=lambda n: reads[n].tag + _UNSEEN * n, key=name, on_change=take
    )


def put_right(key: str, read: Read) -> None:
    """Let a person say what the picked digit is."""
    name, edits = f"{key}-correct", boxes.edits(key)
    st.session_state[name] = read.correction

    def take() -> None:
        edits.correct(read.box, st.session_state[name])
        edits.changes += 1  # the table shows it as well

    st.selectbox(
        "Is that wrong? Then it is",
        ["", *"0123456789", reading.NO_DIGIT],
        format_func=lambda digit: digit or "as it was read",
        key=name,
        on_change=take,
        width=240,
    )


def editor(result: Result, reads: Sequence[Read], key: str) -> None:
    """All digits in a table, in which they can be corrected."""
    edits = boxes.edits(result.key)

    def take() -> None:
        for number, changed in st.session_state[key]["edited_rows"].items():
            if number in range(len(reads)) and "Digit" in changed:
                edits.correct(reads[number].box, str(changed["Digit"]))

    rows = [{name: value for name, value in row.items() if name != "Picture"} for row in reading.table(result, reads)]
    options = [*"0123456789", reading.NO_DIGIT]
    st.data_editor(
        rows,
        hide_index=True,
        disabled=[name for name in rows[0] if name != "Digit"],
        column_config={
            "Digit": st.column_config.SelectboxColumn(options=options, required=True, help="Click one to correct it."),
            "Probability": st.column_config.NumberColumn(
                format="percent", help="Of the digit that the network reads; empty where you put it right."
            ),
        },
        placeholder="",
        key=key,
        on_change=take,
    )


def step_by_step(result: Result, answers: list[Answers], several: bool, expanded: bool) -> None:
    """The strip of steps with their switches, made only when somebody opens it."""
    key, one = result.key, answers[0]
    picked = boxes.edits(key).picked if several else None
    digit = next((read.recognition for read in one.reads if read.box == picked), None) if several else one.single
    whose = "Step by step" if digit is not None else "How the ink was found, step by step"
    name = f"{key}-steps" if digit is not None else f"{key}-page-steps"
    icon = ":material/view_carousel:"
    shown = st.expander(whose, expanded and digit is not None, icon=icon, key=name, on_change="rerun")
    if shown.open:
        with shown:
            switches.choose(key)
            switches.set_back(key)
            strip(result, one.recognizer, digit)
    if digit is not None:
        nearest.show(digit, one.recognizer, key)


def strip(result: Result, recognizer: Recognizer, digit: Recognition | None) -> None:
    """The steps of one digit with the answer after each, or those that are common to the whole page."""
    key = result.key
    if digit is None:
        steps.strip(result.page.steps, key)
        return
    prepared = digit.prepared
    stages = xray.stages(prepared, recognizer) if prepared.digit is not None else ()
    steps.strip(prepared.steps, key, stages)
    answer.downloads(prepared, [(recognizer.run, digit)], f"{key}-one")


st.title("Read pictures")
st.markdown("Photos, scans or screenshots of handwritten digits: one digit, or a whole page.")
bring()
if files := reading.collection().pictures:
    results(files)
