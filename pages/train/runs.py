"""All runs in one table; one of them looked at closely, or two to four compared."""

import streamlit as st

from pages.components import cached, run_comparison, run_exchange, run_one, run_table

st.title("Runs")
st.markdown("Every network that was trained and kept, in one table with what others published for the same recipes.")
with st.container():  # always there, so that the table keeps its place when a notice comes
    run_exchange.notice()
chosen = run_table.choose()
if len(chosen) == 1:
    run_one.show(cached.all_runs()[chosen[0]])
elif chosen:
    run_comparison.show([cached.all_runs()[name] for name in chosen])
