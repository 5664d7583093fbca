"""Digit Lab's door: page config, navigation and the sidebar that all pages share."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from pages.components import sidebar

ROOT = Path(__file__).parent
DRAW, UPLOAD = "pages/recognise/draw.py", "pages/recognise/upload.py"
METRICS, MISTAKES = "pages/understand/metrics.py", "pages/understand/mistakes.py"
STRESS = "pages/understand/stress.py"
QUIZ = "pages/understand/quiz.py"
TRAIN, RUNS = "pages/train/train.py", "pages/train/runs.py"
ABOUT = "**Digit Lab** shows, step by step, how a neural network reads handwritten digits."


def main() -> None:
    """Lay out what all pages share, then run the page that the address names."""
    st.set_page_config("Digit Lab", ROOT / "assets/icon.svg", layout="wide", menu_items={"About": ABOUT})
    st.html(ROOT / "assets/style.css")
    st.logo(ROOT / "assets/logo.svg", size="large", icon_image=ROOT / "assets/icon.svg")
    page = st.navigation(
        {
            "Recognise": [*draw_pages(), st.Page(UPLOAD, title="Upload", icon=":material/upload:")],
            "Understand": [
                st.Page(METRICS, title="Metrics", icon=":material/grid_on:"),
                st.Page(MISTAKES, title="Mistakes", icon=":material/rule:"),
                st.Page(QUIZ, title="Quiz", icon=":material/quiz:"),
                st.Page(STRESS, title="Stress", icon=":material/fitness_center:"),
            ],
            "Train": [
                st.Page(TRAIN, title="Train", icon=":material/model_training:"),
                st.Page(RUNS, title="Runs", icon=":material/history:"),
            ],
        }
    )
    sidebar.choose_runs()
    page.run()


def draw_pages() -> tuple[st.Page, st.Page]:
    """The first page, at / and at /draw: Streamlit gives its default page no address but the first.

    The menu shows the one that is open, so that it is marked there.
    """
    at_draw = (st.context.url or "").rstrip("/").endswith("/draw")
    here, elsewhere = "visible", "hidden"
    icon = ":material/draw:"
    home = st.Page(
        DRAW, title="Draw", icon=icon, url_path="home", default=True, visibility=elsewhere if at_draw else here
    )
    draw = st.Page(DRAW, title="Draw", icon=icon, url_path="draw", visibility=here if at_draw else elsewhere)
    return home, draw


if __name__ == "__main__":
    main()
elif __name__ == "app":
    # `streamlit run` imports this module once, before the first visitor comes. The folder next to it is called
    # pages, from which Streamlit concludes that its files are the pages, until the first run of st.navigation has
    # told it better; a first visitor with a deep link is then shown "Page not found". So tell it now.
    PagesManager.uses_pages_directory = False
    app = st.App(__file__)
