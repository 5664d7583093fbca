"""Is the label wrong? The digits whose label is believed least, to be voted on one after the other."""

from html import escape

import streamlit as st

from mnist_core import suspects, votes
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import in_percent
from mnist_core.predictions import Predictions
from mnist_core.suspects import Rows, Suspects
from mnist_core.votes import Vote, Votes
from mnist_core.wording import a_digit, share
from pages.components import ballot, cached, evaluated
from pages.components.ballot import Ballot
from pages.components.evaluated import Evaluated
from pages.components.pictures import data_url

PER_PAGE = 24
WHAT_THIS_IS = (
    "People wrote the labels too, and people err. Here are the digits whose label the network believes least, although "
    "it never saw them while it learned. Look at each: who is right?"
)
HOW_IT_RANKS = (
    "They are ranked by **self-confidence**: the calibrated probability that the networks give the label, on average. "
    "**Confident learning** (Northcutt, Jiang and Chuang, 2021) calls a label wrong where another digit is at least as "
    "probable as that digit usually is among its own kind."
)
WHY_CAREFUL = (
    "Only digits that the networks doubt come up here, so leaving some out can hardly make them look worse. "
    "It tells how much of what is called their error may be the labels' error, not how good they are."
)
_CHOSEN, _PAGE, _UPLOADS, _NOTICE = "suspect", "suspects-page", "votes-uploads", "votes-notice"
_ICONS = {"right": ":material/check:", "wrong": ":material/edit:", "unclear": ":material/question_mark:"}
_CANNOT_TELL = Vote("unclear")


@st.fragment
def explore(found: Evaluated) -> None:
    """All that changes with a vote or a chosen digit; the dataset's pictures are here."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="labels-about"):
        st.caption(WHAT_THIS_IS, help=HOW_IT_RANKS, width=560)
        judges = _judges(found)
    if judges is None:
        return
    ranked, mine = suspects.rank(judges), ballot.of(found)
    rows = ranked.to_look_at()
    row = _current(rows, mine.votes)
    if mine.problem:
        st.warning(mine.problem, icon=":material/save:")
    with st.container(key="browse"):
        with st.container(key="browse-digits", gap="small"):
            _cards(found, rows, row, ranked, mine.votes)
        with st.container(key="browse-digit", gap="small"):
            _closer(found, judges, ranked, row)
            _vote_on(mine, rows, row)
    with st.container(key="labels-changes"):
        _what_it_changes(found, mine.votes)
    _exchange(found, mine)


def _judges(found: Evaluated) -> list[Predictions] | None:
    """The networks that judge: the chosen ones, and others if they are asked too."""
    runs, asked = cached.all_runs(), [one.run for one in found.predictions]
    others = st.multiselect(
        "Ask more networks",
        [name for name in runs if name not in asked],
        key="judges",
        placeholder=f"{' and '.join(asked)} alone" if len(asked) < 3 else "",
        help="What several networks doubt is more often wrong than what one of them doubts. Choose those that read "
        "these digits well.",
        width=300,
    )
    more = evaluated.evaluate_quietly([runs[name] for name in others if name in runs], found)
    return None if more is None else [*found.predictions, *more]


def _current(rows: Rows, mine: Votes) -> int:
    """The digit that is voted on: the one that was chosen, else the first without a vote."""
    chosen = st.session_state.get(_CHOSEN)
    if chosen in rows:
        return int(chosen)
    return next((int(row) for row in rows if int(row) not in mine.cast), int(rows[0]))


# --- the digits


def _cards(found: Evaluated, rows: Rows, row: int, ranked: Suspects, mine: Votes) -> None:
    st.html(f'<p class="dl-cell" role="status">{_progress(rows, mine)} {_flagged(ranked)}</p>')
    pages = -(-len(rows) // PER_PAGE)
    if st.session_state.get(_PAGE, 1) > pages:  # fewer networks judge, or another dataset
        st.session_state[_PAGE] = 1
    page = int(st.session_state.get(_PAGE, 1)) if pages > 1 else 1
    with st.grid(min_column_width=76, gap="small", key="cards"):
        for one in rows[(page - 1) * PER_PAGE : page * PER_PAGE]:
            _card(found, int(one), int(one) == row, mine)
    if pages > 1:
        st.pagination(pages, key=_PAGE, max_visible_pages=7)


def _progress(rows: Rows, mine: Votes) -> str:
    done = sum(int(row) in mine.cast for row in rows)
    return f"<b>{done:,}</b> of {len(rows):,} voted on, least believed first."


def _flagged(ranked: Suspects) -> str:
    n = int(ranked.flagged.sum())
    if not n:
        return "Confident learning calls none of the labels wrong."
    return f"Confident learning calls {n:,} {'label' if n == 1 else 'labels'} wrong."


def _card(found: Evaluated, row: int, chosen: bool, mine: Votes) -> None:
    assert found.images is not None
    label, vote = int(mine.labels[row]), mine.cast.get(row)
    kind = "dl-sample-digit dl-pixels dl-chosen" if chosen else "dl-sample-digit dl-pixels"
    with st.container(key=f"card-digit-{row}", gap=None):
        st.html(f'<img class="{kind}" src="{data_url(found.images[row], 28)}" alt="">')
        st.button(
            _says(label, vote),
            key=f"suspect-{row}",
            type="tertiary",
            icon=None if vote is None else _ICONS[vote.verdict],
            help=f"Number {row}, labelled {label}",
            on_click=_choose,
            args=(row,),
        )


def _says(label: int, vote: Vote | None) -> str:
    return f"{label}" if vote is None or vote.digit is None else f"{label} \N{RIGHTWARDS ARROW} {vote.digit}"


def _choose(row: int) -> None:
    st.session_state[_CHOSEN] = row


def _closer(found: Evaluated, judges: list[Predictions], ranked: Suspects, row: int) -> None:
    assert found.images is not None
    label = int(judges[0].labels[row])
    lines = [_judgement(judges, ranked, row), f"Number {row:,} of {len(judges[0]):,}."]
    if ranked.flagged[row]:
        lines.append("Confident learning calls this label wrong.")
    details = "".join(f"<p>{escape(line)}</p>" for line in lines)
    st.html(
        f'<div class="dl-closer dl-ballot"><img class="dl-large dl-pixels" src="{data_url(found.images[row], 28)}" '
        f'alt="Number {row}, labelled {label}"><div role="status"><p class="dl-sentence">Labelled {label}. '
        f'Is it one?</p><div class="dl-quiet">{details}</div></div></div>'
    )


def _judgement(judges: list[Predictions], ranked: Suspects, row: int) -> str:
    label, read = int(judges[0].labels[row]), int(ranked.read[row])
    given = share(float(ranked.confidence[row]))
    who = judges[0].run if len(judges) == 1 else f"The {len(judges)} networks together"
    verb = "reads" if len(judges) == 1 else "read"
    if read == label:
        return f"{who} {verb} {a_digit(read)} too, {given} sure."
    sure = in_percent(float(sum(one.probabilities[row, read] for one in judges) / len(judges)))
    return f"{who} {verb} {a_digit(read)}, {sure} sure; the {label} gets {given}."


# --- the vote


def _vote_on(mine: Ballot, rows: Rows, row: int) -> None:
    label, cast = int(mine.votes.labels[row]), mine.votes.cast.get(row)
    with st.container(key="votes", gap="small"):
        _answer(f"The label is right: {a_digit(label)}", "right", mine, rows, row, Vote("right"), cast, str(label))
        st.caption("Or it is another digit:")
        with st.container(key="votes-digits"):
            for digit in range(10):
                if digit != label:
                    _answer(str(digit), str(digit), mine, rows, row, Vote("wrong", digit), cast, str(digit))
        _answer("Cannot tell, or several", "unclear", mine, rows, row, _CANNOT_TELL, cast, "X")
    with st.container(horizontal=True, gap="small", key="votes-back"):
        st.button(
            "Undo",
            key="vote-undo",
            icon=":material/undo:",
            shortcut="Ctrl+Z",
            disabled=not mine.past,
            on_click=_undo,
            args=(mine,),
        )
        if cast is not None:
            st.button("No vote", key="vote-none", icon=":material/ink_eraser:", on_click=_put, args=(mine, row, None))
    st.html('<p class="dl-quiet dl-keyboard">By keyboard: press the digit that you see, or X if nobody can tell.</p>')


def _answer(
    label: str, key: str, mine: Ballot, rows: Rows, row: int, vote: Vote, cast: Vote | None, shortcut: str
) -> None:
    st.button(
        label,
        key=f"vote-{key}",
        width="stretch",
        type="primary" if vote == cast else "secondary",
        shortcut=shortcut,
        on_click=_cast,
        args=(mine, rows, row, vote),
    )


def _cast(mine: Ballot, rows: Rows, row: int, vote: Vote) -> None:
    """Put a vote, and go to the next digit that has none."""
    _put(mine, row, vote)
    place = rows.tolist().index(row)
    order = [*range(place + 1, len(rows)), *range(place)]
    following = next((one for one in order if int(rows[one]) not in mine.votes.cast), place)
    st.session_state[_CHOSEN] = int(rows[following])
    if (page := following // PER_PAGE + 1) != st.session_state.get(_PAGE, 1):
        st.session_state[_PAGE] = page


def _put(mine: Ballot, row: int, vote: Vote | None) -> None:
    mine.change({row: vote})
    st.session_state[_CHOSEN] = row


def _undo(mine: Ballot) -> None:
    row = mine.undo()
    if row is not None:
        st.session_state[_CHOSEN] = row


# --- what it changes


def _what_it_changes(found: Evaluated, mine: Votes) -> None:
    n = len(mine.disputed)
    st.header("Without the disputed ones", anchor="disputed")
    if not n:
        st.caption("Vote that a label is wrong, or that nobody can tell, and see here how the accuracy changes.")
        return
    words = f"{n:,} {'digit is' if n == 1 else 'digits are'} disputed: {mine.count('wrong'):,} voted to be another"
    st.caption(f"{words}, {mine.count('unclear'):,} unclear.", help=WHY_CAREFUL)
    for one in found.predictions:
        pair = (("All digits", votes.accuracy(one)), ("Without the disputed ones", votes.accuracy(one, mine.disputed)))
        cards = "".join(_accuracy(title, accuracy) for title, accuracy in pair)
        name = f'<p class="dl-whose">{escape(one.run)}</p>' if len(found.predictions) > 1 else ""
        st.html(f'{name}<div class="dl-cards">{cards}</div>')


def _accuracy(title: str, accuracy: votes.Accuracy | None) -> str:
    if accuracy is None:
        return f'<section class="dl-card"><h3>{title}</h3><p class="dl-meaning">No digit is left.</p></section>'
    interval = accuracy.interval
    return (
        f'<section class="dl-card"><h3>{title}</h3><p class="dl-figure">{accuracy.share:.2%}</p>'
        f'<p class="dl-interval">{interval.low:.2%} to {interval.high:.2%}</p>'
        f'<p class="dl-meaning">{accuracy.errors:,} of {accuracy.n:,} read wrong</p></section>'
    )


# --- to take away and to bring in


def _exchange(found: Evaluated, mine: Ballot) -> None:
    st.header("Your votes", anchor="votes")
    n = len(mine.votes)
    name = f"votes-{found.source}"
    with st.container(horizontal=True, gap="small", key="votes-files"):
        for label, ending, kind, write in (
            ("CSV", "csv", "text/csv", votes.as_csv),
            ("JSON", "json", "application/json", votes.as_json),
        ):
            st.download_button(
                label,
                lambda write=write: write(mine.votes),
                f"{name}.{ending}",
                kind,
                key=f"votes-{ending}",
                icon=":material/download:",
                on_click="ignore",
                disabled=not n,
            )
        with st.popover(
            "Bring in votes", icon=":material/upload:", key=f"votes-in-{st.session_state.get(_UPLOADS, 0)}"
        ):
            key = f"votes-file-{st.session_state.get(_UPLOADS, 0)}"
            st.file_uploader(
                "Votes that were taken away",
                ["csv", "json"],
                key=key,
                help="On the same digits. Where you voted too, the votes in the file count; Undo takes them back.",
                max_upload_size=votes.MAX_BYTES // 2**20,
                on_change=_bring_in,
                args=(mine, key),
            )
    with st.container(key="votes-tally"):
        st.caption(
            f"{n:,} {'vote' if n == 1 else 'votes'} on these digits. They are kept on this machine for this browser; "
            "nobody else's votes are mixed with yours."
            if n
            else "You have not voted yet. Votes that were taken away can be brought in."
        )
    good, words = st.session_state.pop(_NOTICE, (True, ""))
    if words:
        (st.success if good else st.error)(words, icon=":material/check_circle:" if good else ":material/error:")


def _bring_in(mine: Ballot, key: str) -> None:
    file = st.session_state.get(key)
    if file is None:
        return
    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
    try:
        brought = votes.read(file.getvalue(), mine.votes)
    except DigitLabError as error:
        st.session_state[_NOTICE] = False, f"{file.name}: {error}"
        return
    mine.change(brought.cast)
    n = len(brought)
    st.session_state[_NOTICE] = True, f"{n:,} {'vote was' if n == 1 else 'votes were'} brought in."
