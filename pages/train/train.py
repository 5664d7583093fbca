"""Set up a network with sliders, train it, and watch it learn."""

import streamlit as st

from mnist_core import advice, cost, network_svg, runs
from mnist_core.cluster import Job
from mnist_core.errors import DigitLabError
from mnist_core.export_code import command_line, keras_code
from mnist_core.recipes import Recipe
from pages.components import cached, drawn, outcome, owner, progress, recipe_form

_JOB, _PROBLEM, _SCROLL, _NAME = "train-job", "train-refused", "train-scroll", "train-name"


def shown_job() -> Job | None:
    """The training that the address, this session or this browser's last one names."""
    jobs = cached.training_jobs()
    named = st.session_state.get(_JOB) or st.query_params.get("job")
    try:
        if named:
            return jobs.get(named)
        return next((job for job in jobs.list(owner.name()) if not job.ended), None)
    except DigitLabError as error:
        forget()
        st.warning(f"{error} You can train a new network below.", icon=":material/link_off:")
        return None


def followed() -> tuple[Recipe, str] | None:
    """The recipe and the dataset of the training that the address names."""
    try:
        job = cached.training_jobs().get(st.query_params.get("job", ""))
    except DigitLabError:
        return None
    return job.recipe, job.dataset


def forget() -> None:
    """Show no training any more."""
    st.session_state.pop(_JOB, None)
    st.query_params.pop("job", None)


def begin(recipe: Recipe, dataset: str, continue_from: str | None = None, name: str | None = None) -> None:
    """Hand a recipe over to be trained, perhaps from a run's weights, perhaps under a name."""
    digit = drawn.digit()
    try:
        identity = cached.training_jobs().submit(
            recipe,
            owner=owner.name(),
            dataset=dataset,
            name=name,
            drawing=digit,
            continue_from=continue_from,
        )
    except DigitLabError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    st.session_state[_JOB] = identity
    st.session_state[_SCROLL] = True
    st.session_state.setdefault("train-drawings", {})[identity] = digit


def begin_set() -> None:
    """Hand over what the sliders say."""
    try:
        name = str(st.session_state.get(_NAME) or "").strip()
        begin(recipe_form.current(), recipe_form.value("data"), name=name or None)
    except DigitLabError as error:
        st.session_state[_PROBLEM] = str(error)


def training(job: Job) -> None:
    """The training that is shown."""
    st.session_state[_JOB] = job.id
    if st.query_params.get("job") != job.id:
        st.query_params["job"] = job.id
    if st.session_state.pop(_SCROLL, False):
        st.html(
            "<script>document.querySelector('.st-key-training')?.scrollIntoView({block: 'center'});</script>",
            unsafe_allow_javascript=True,
        )
    progress.show(job, lambda: outcome.show(job, begin))


def choices() -> None:
    """The sliders, with what they amount to beside them."""
    with st.container(key="train-board"):
        with st.container(key="train-simple"):
            recipe_form.show_simple()
        with st.container(key="train-picture"):
            preview()
        with st.container(key="train-rest"):
            recipe_form.show_more()


def preview() -> None:
    """The network that the sliders make, what it costs, what will go wrong, and the button."""
    try:
        recipe = recipe_form.current()
    except DigitLabError as error:
        st.error(str(error), icon=":material/error:")
        return
    recipe_form.write_address(recipe)
    data = recipe_form.value("data")
    st.markdown(network_svg.network_svg(recipe.model), unsafe_allow_html=True)
    teacher = cached.all_runs().get(recipe.training.teacher)
    expected = cost.estimate(recipe, data, teacher.recipe.model if teacher else None)
    progress.facts(
        {
            "Weights": f"{expected.parameters:,}",
            "Training digits": f"{expected.digits:,}",
            "Memory": f"{expected.megabytes:,.0f} MB",
            "Time": cost.about(expected.seconds),
        }
    )
    limits = cached.training_jobs().limits
    over = advice.over_limits(expected, limits.seconds, limits.memory)
    for words in (*advice.warnings(recipe, expected.digits), *over):
        st.warning(words, icon=":material/warning:")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.text_input(
            "Name",
            key=_NAME,
            placeholder=runs.free_name(runs.stem(recipe)),
            max_chars=64,
            width=200,
            help="What the trained network will be called: small letters, digits, '.', '-' and '_'. Left empty, it is "
            "called after its layers. Where another run has the name, a number is added.",
        )
        st.button("Train", key="train-start", type="primary", icon=":material/play_arrow:", on_click=begin_set)
        take_along(recipe, data)
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(problem, icon=":material/error:")


def take_along(recipe: Recipe, data: str) -> None:
    """The recipe as a command and as a script."""
    with st.popover("As code", icon=":material/code:", type="tertiary"):
        st.markdown("**In a terminal**: trains the same network.")
        st.code(command_line(recipe, data), language="sh", wrap_lines=True)
        st.markdown("**In plain Keras**: a script that needs nothing from Digit Lab.")
        st.code(keras_code(recipe), language="python", height=320)


st.title("Train a network")
st.markdown("Choose how large it is and how it learns, press **Train**, and watch. Nothing can break here.")
owner.remember()
recipe_form.begin(followed())
if (job := shown_job()) is not None:
    training(job)
    st.header("Train another one")
choices()
