"""A quiz on the page: how long it shall be, one digit after the other, and both scores in the end."""

import secrets
from html import escape

import streamlit as st

from mnist_core import quiz
from mnist_core.errors import DigitLabError
from mnist_core.evaluation import in_percent
from mnist_core.predictions import Predictions
from mnist_core.quiz import Question, Quiz, Score
from mnist_core.wording import a_digit
from pages.components.evaluated import OWN, SOURCES, Evaluated
from pages.components.pictures import data_url

_GAME, _OF = "quiz", "quiz-of"
_LENGTH, _SEED, _TURN = "questions", "seed", "turn"  # in the address: who opens it gets the same questions


@st.fragment
def play(found: Evaluated) -> None:
    """All of it; the dataset's pictures are here."""
    game: Quiz | None = st.session_state.get(_GAME)
    if game is None or st.session_state.get(_OF) != _about(found):
        _before(found)
    elif game.over:
        _after(found, game)
    else:
        _question(found, game)


def _about(found: Evaluated) -> tuple[str, ...]:
    """What a quiz is about; one that was about another network or other digits is put away."""
    first = found.predictions[0]
    return first.run, "" if found.digits is None else found.digits.fingerprint


# --- before


def _before(found: Evaluated) -> None:
    first = found.predictions[0]
    if len(first) < 2:
        st.info("A quiz needs at least two digits, and here is only one.", icon=":material/info:")
        return
    st.html(f'<p class="dl-sentence">{escape(_promise(first))}</p>')
    st.caption("Half of the digits are hard ones, half are easy ones, mixed. You are not told which are which.")
    length = st.segmented_control("Questions", quiz.LENGTHS, default=_length(), key="quiz-length", required=True)
    st.button(
        "Start",
        key="quiz-start",
        type="primary",
        icon=":material/play_arrow:",
        shortcut="Enter",
        on_click=_start,
        args=(found, int(length), _from_address(_SEED), _from_address(_TURN) or 0),
    )
    st.html('<p class="dl-quiet dl-keyboard">By keyboard: Enter starts and goes on, 0 to 9 answer.</p>')


def _promise(first: Predictions) -> str:
    errors = int(first.wrong.sum())
    if not errors:
        return (
            f"{first.run} reads all {len(first):,} digits right. You are asked about those that it was least sure of. "
            "Can you do as well?"
        )
    if errors == 1:
        return f"{first.run} reads 1 of {len(first):,} digits wrong. Can you read it?"
    return f"{first.run} reads {errors:,} of {len(first):,} digits wrong. Can you read those?"


def _from_address(name: str) -> int | None:
    """A number that the address names; None where it names none, or one that cannot be."""
    word = str(st.query_params.get(name, ""))
    return int(word) if word.isascii() and word.isdigit() and len(word) <= len(str(quiz.MOST_SEED)) else None


def _length() -> int:
    asked = _from_address(_LENGTH)
    return asked if asked in quiz.LENGTHS else quiz.LENGTHS[0]


def _start(found: Evaluated, length: int, seed: int | None = None, turn: int = 0) -> None:
    seed = secrets.randbelow(quiz.MOST_SEED + 1) if seed is None else seed
    try:
        game = quiz.make(found.predictions[0], length, seed, turn)
    except DigitLabError:  # the address was changed by hand
        seed, turn = secrets.randbelow(quiz.MOST_SEED + 1), 0
        game = quiz.make(found.predictions[0], length, seed)
    st.session_state[_GAME], st.session_state[_OF] = game, _about(found)
    for name, number in ((_LENGTH, length), (_SEED, seed), (_TURN, turn)):
        st.query_params[name] = str(number)


# --- one question


def _question(found: Evaluated, game: Quiz) -> None:
    question, many = game.questions[game.at], len(game.questions)
    done = game.at + game.answered
    st.html(
        f'<p class="dl-cell" role="status"><b>Question {game.at + 1}</b> of {many}</p>'
        f'<div class="dl-bar" role="progressbar" aria-label="Questions answered" aria-valuemin="0" '
        f'aria-valuemax="{many}" aria-valuenow="{done}"><i style="width:{100 * done / many:.1f}%"></i></div>'
    )
    with st.container(key="quiz-board"):
        with st.container(key="quiz-picture"):
            st.html(_picture(found, question, "dl-large", f"Question {game.at + 1}: a handwritten digit"))
        with st.container(key="quiz-answer", gap="small"):
            st.html(f'<div role="status" class="dl-verdict">{_verdict(found, game)}</div>')
            _keys(game, question)
            # Its place is kept from the start, so that nothing moves under the finger.
            st.button(
                "Next" if game.at + 1 < many else "See the scores",
                key="quiz-next",
                type="primary",
                icon=":material/arrow_forward:",
                width="stretch",
                shortcut="Enter",
                disabled=not game.answered,
                on_click=_go_on,
                args=(game.at,),
            )
    st.button("Stop this quiz", key="quiz-stop", type="tertiary", icon=":material/close:", on_click=_stop)


def _picture(found: Evaluated, question: Question, kind: str, alt: str) -> str:
    assert found.images is not None
    return f'<img class="{kind} dl-pixels" src="{data_url(found.images[question.row], 28)}" alt="{escape(alt)}">'


def _verdict(found: Evaluated, game: Quiz) -> str:
    """What to say: the question, or how right the answer was and what the network said."""
    if not game.answered:
        return '<p class="dl-sentence">Which digit is it?</p><div class="dl-quiet"><p>Look well, then choose.</p></div>'
    question, answer = game.questions[game.at], game.answers[game.at]
    first = found.predictions[0]
    sure = in_percent(float(first.certainty[question.row]))
    right = answer == question.label
    words = f"Right, {a_digit(answer)}." if right else f"It is labelled {question.label}. You said {answer}."
    also = " too" if question.read == answer else ""
    network = f"{first.run} read {a_digit(question.read)}{also}, {sure} sure."
    kind = "dl-right" if right else "dl-wrong"
    return (
        f'<p class="dl-sentence {kind}"><b>{escape(words)}</b></p><div class="dl-quiet"><p>{escape(network)}</p></div>'
    )


def _keys(game: Quiz, question: Question) -> None:
    with st.container(key="quiz-keys"):
        for digit in range(10):
            given = game.answered and digit == game.answers[game.at]
            st.button(
                str(digit),
                key=f"quiz-{digit}",
                width="stretch",
                type="primary" if given else "secondary",
                shortcut=str(digit),
                disabled=game.answered and not given and digit != question.label,  # those two are to be seen
                on_click=_answer,
                args=(game.at, digit),
            )


def _answer(at: int, digit: int) -> None:
    st.session_state[_GAME] = st.session_state[_GAME].answer(at, digit)


def _go_on(at: int) -> None:
    st.session_state[_GAME] = st.session_state[_GAME].go_on(at)


def _stop() -> None:
    for key in (_GAME, _OF):
        st.session_state.pop(key, None)
    for name in (_LENGTH, _SEED, _TURN):
        st.query_params.pop(name, None)


# --- after


def _after(found: Evaluated, game: Quiz) -> None:
    yours = game.yours
    st.html(f'<p class="dl-sentence" role="status">{escape(_outcome(found, game))}</p>')
    rows = [("You", yours)] + [(one.run, game.score_of(one)) for one in found.predictions]
    st.html(f'<div class="dl-cards dl-scores">{"".join(_score_card(who, score) for who, score in rows)}</div>')
    st.caption(_why(found, game))
    with st.container(horizontal=True, gap="small", key="quiz-again"):
        length, seed, turn = _length(), _from_address(_SEED), _from_address(_TURN) or 0
        st.button(
            "Again with others",
            key="quiz-others",
            type="primary",
            icon=":material/refresh:",
            on_click=_start,
            args=(found, length, seed, turn + 1),
        )
        st.button("The same again", key="quiz-same", on_click=_start, args=(found, length, seed, turn))
        st.button("Another length", key="quiz-back", on_click=_stop)
    st.caption("Whoever opens this page by the address that you see now gets the same questions.")
    _review(found, game)


def _outcome(found: Evaluated, game: Quiz) -> str:
    yours, network = game.yours, game.score_of(found.predictions[0])
    you, it = yours.hard + yours.easy, network.hard + network.easy
    versus = f"you read {you} of {len(game.questions)} right, {found.predictions[0].run} {it}"
    if you > it:
        return f"You win: {versus}."
    return f"A draw: {versus}." if you == it else f"The network wins: {versus}."


def _score_card(who: str, score: Score) -> str:
    return (
        f'<section class="dl-card"><h3>{escape(who)}</h3><div class="dl-runs">'
        f'<div><p class="dl-figure">{score.hard} of {score.of_hard}</p><p class="dl-interval">hard ones</p></div>'
        f'<div><p class="dl-figure">{score.easy} of {score.of_easy}</p><p class="dl-interval">easy ones</p></div>'
        "</div></section>"
    )


def _why(found: Evaluated, game: Quiz) -> str:
    name = found.predictions[0].run
    if not game.mistakes:
        return f"{name} makes no mistake here: the hard ones are those that it was least sure of."
    words = f"The hard ones are mistakes of {name}, so it has none of them right, and all of the easy ones."
    missed = sum(question.hard for question, _ in game.missed)
    if not missed:
        return f"{words} You read every hard one: it can still learn from you."
    many = "one of them" if missed == 1 else f"{missed} of them"
    same = f" {game.shared} times you said the same wrong digit." if game.shared > 1 else ""
    return f"{words} You found {many} hard too: what is hard for a network is often hard for people.{same}"


def _review(found: Evaluated, game: Quiz) -> None:
    st.header("Those that you missed", anchor="missed")
    if not game.missed:
        st.caption("None. Well read!")
        return
    cards = "".join(_missed(found, question, answer) for question, answer in game.missed)
    st.html(f'<div class="dl-digits dl-missed" role="list" aria-label="Digits that you missed">{cards}</div>')
    if found.source != OWN:  # whose pictures stay with the page they were given to
        st.page_link(
            "pages/understand/mistakes.py",
            label="Do you think that a label is wrong? Vote on it.",
            icon=":material/how_to_vote:",
            query_params={"look": "Is the label wrong?", "data": SOURCES[found.source]},
        )


def _missed(found: Evaluated, question: Question, answer: int) -> str:
    kind = "hard" if question.hard else "easy"
    alt = f"Labelled {question.label}, you said {answer}, {found.predictions[0].run} read {question.read}; {kind}"
    return (
        f'<div role="listitem" title="{escape(alt)}">{_picture(found, question, "", alt)}'
        f'<span class="dl-wrong">{question.label} \N{RIGHTWARDS ARROW} <b>{answer}</b></span>'
        f"<small>network: {question.read}, {kind}</small></div>"
    )
