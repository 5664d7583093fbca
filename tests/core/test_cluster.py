"""Training jobs in a real worker process, which most of these tests share."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from mnist_core import cluster, runs
from mnist_core.__main__ import main
from mnist_core.cluster import Job, Jobs, Limits
from mnist_core.errors import DigitLabError
from mnist_core.recipes import Distortion, ModelRecipe, Recipe, TrainRecipe
from mnist_core.runs import Run

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0  # seconds; a worker on two busy cores may take long to come up
SHORT = Recipe(ModelRecipe(hidden=(12,)), TrainRecipe(epochs=2, examples=300, validation_share=0.1))
# It takes hours; a test that does not stop it fails.
LONG = SHORT.with_changes(epochs=1000, batch_size=1, examples=0)


@pytest.fixture(scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def _shared(_home: Path) -> Iterator[Jobs]:
    jobs = Jobs(_home, limits=Limits(queue=2))
    jobs.warm()
    yield jobs
    jobs.close()


@pytest.fixture
def jobs(_shared: Jobs, _home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """The shared jobs, with nothing under way before and after the test."""
    monkeypatch.setenv("DIGIT_LAB_HOME", str(_home))
    yield _shared
    for job in reversed(_shared.list()):
        _shared.stop(job.id)
    for job in _shared.list():
        until(_shared, job.id, lambda job: job.ended)


def until(jobs: Jobs, id: str, holds: Callable[[Job], bool]) -> Job:
    """Return a job as soon as something is true of it; fail where it ends before, or takes too long."""
    limit = time.monotonic() + PATIENCE
    while not holds(job := jobs.get(id)):
        assert not job.ended, f"it ended before: {job}"
        assert time.monotonic() < limit, f"it took too long: {job}"
        time.sleep(0.01)
    return job


def ended(jobs: Jobs, id: str) -> Job:
    return until(jobs, id, lambda job: job.ended)


def learning(jobs: Jobs, id: str, since: int = 0) -> Job:
    """Wait until a job has taken more steps."""
    return until(jobs, id, lambda job: job.status == "running" and steps(job) > since)


def steps(job: Job) -> int:
    return (job.news[-1].epoch - 1) * job.news[-1].steps + job.news[-1].step if job.news else 0


def workers() -> list[psutil.Process]:
    """The worker processes of this one."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_a_job_gives_the_same_network_as_the_command(jobs: Jobs, _home: Path) -> None:
    distortion = Distortion(rotation=10, elastic=1, stroke=0.5)
    recipe = Recipe(
        ModelRecipe(hidden=(16, 8), dropout=0.2, batch_norm=True),
        TrainRecipe(
            loss="categorical_crossentropy", epochs=3, seed=4, distortion=distortion, variants=0.3, non_digits=0.1
        ),
    )
    drawing = np.zeros((28, 28), np.float32)
    drawing[4:24, 13:15] = 1
    job = ended(jobs, jobs.submit(recipe, owner="ann", dataset="builtin", name="job", drawing=drawing))
    assert (job.status, job.message, job.run, job.position) == ("done", "", "job", 0)
    (_home / "recipe.json").write_text(runs.json.dumps(recipe.to_dict()))
    assert main(["train", "--data", "builtin", "--recipe", str(_home / "recipe.json"), "--out", "command"]) == 0

    ours, theirs = runs.load_run("job"), runs.load_run("command")
    assert (ours.recipe, ours.metrics, ours.calibration) == (recipe, theirs.metrics, theirs.calibration)
    assert (ours.dataset, ours.fingerprint) == (theirs.dataset, theirs.fingerprint)
    assert runs.list_checkpoints(ours) == runs.list_checkpoints(theirs) == (1, 2, 3)
    for name, value in runs.load_weights(theirs).items():
        np.testing.assert_array_equal(runs.load_weights(ours)[name], value, err_msg=name)
        np.testing.assert_array_equal(runs.load_checkpoint(ours, 3)[name], value, err_msg=name)
        if name.endswith("kernel"):
            assert not np.array_equal(runs.load_checkpoint(ours, 1)[name], value), name
    figures = [{**epoch, "seconds": 0} for epoch in ours.history]
    assert figures == [{**epoch, "seconds": 0} for epoch in theirs.history]

    told = [news for news in job.news if news.epoch_done]
    assert [(news.epoch, news.loss) for news in told] == [(epoch["epoch"], epoch["loss"]) for epoch in ours.history]
    assert [(news.epoch, news.step) for news in job.news] == sorted({(news.epoch, news.step) for news in job.news})
    assert job.snapshot is not None
    assert job.snapshot.epoch == 3
    assert job.snapshot.weights.shape == (16, 28, 28)
    right = int(np.trace(job.snapshot.confusion))
    assert right / job.snapshot.confusion.sum() == told[-1].validation_accuracy
    assert job.snapshot.drawing is not None
    assert job.snapshot.drawing.sum() == pytest.approx(1, abs=1e-5)


def test_pause_step_resume_and_stop(jobs: Jobs) -> None:
    id = jobs.submit(LONG, owner="ann", dataset="builtin")
    learning(jobs, id)
    jobs.pause(id)
    before = until(jobs, id, lambda job: job.status == "paused")
    jobs.step(id)
    after = until(jobs, id, lambda job: job.status == "paused" and steps(job) > steps(before))
    assert steps(after) == steps(before) + 1
    jobs.step(id)
    jobs.step(id)
    after = until(jobs, id, lambda job: steps(job) >= steps(before) + 3)
    assert (steps(after), after.status) == (steps(before) + 3, "paused")
    jobs.resume(id)
    learning(jobs, id, since=steps(after))
    jobs.stop(id)
    job = ended(jobs, id)
    assert (job.status, job.message) == ("stopped", "")
    run = runs.load_run(str(job.run))
    assert run.recipe == LONG
    assert len(run.history) == len([news for news in job.news if news.epoch_done]), "whole epochs alone are counted"
    jobs.resume(id)
    assert jobs.get(id).status == "stopped", "what is over is over"


def test_others_wait_in_a_queue(jobs: Jobs) -> None:
    first = jobs.submit(LONG, owner="ann", dataset="builtin")
    learning(jobs, first)
    second = jobs.submit(LONG, owner="bob", dataset="builtin")
    third = jobs.submit(SHORT, owner="cat", dataset="builtin")
    assert [(jobs.get(id).status, jobs.get(id).position) for id in (second, third)] == [("queued", 1), ("queued", 2)]
    with pytest.raises(DigitLabError, match="2 trainings are waiting already"):
        jobs.submit(SHORT, owner="dan", dataset="builtin")
    with pytest.raises(DigitLabError, match="You have a training under way already"):
        jobs.submit(SHORT, owner="ann", dataset="builtin")
    assert [job.id for job in jobs.list("bob")] == [second]

    jobs.stop(second)
    taken_out = jobs.get(second)
    assert (taken_out.status, taken_out.run, taken_out.message) == ("stopped", None, "It was taken out of the queue.")
    assert jobs.get(third).position == 1
    jobs.stop(first)
    assert ended(jobs, third).status == "done", "the next one starts"
    assert jobs.get(first).status == "stopped"


def test_whoever_waits_for_a_pause_knows_how_long_it_can_last(jobs: Jobs) -> None:
    first = jobs.submit(LONG, owner="ann", dataset="builtin")
    second = jobs.submit(SHORT, owner="bob", dataset="builtin")
    learning(jobs, first)
    assert (jobs.get(first).held_up, jobs.get(second).held_up) == (None, None)
    jobs.pause(first)
    before = until(jobs, first, lambda job: job.status == "paused")
    assert before.held_up is None
    limit = jobs.limits.paused_seconds
    left = until(jobs, second, lambda job: job.held_up is not None).held_up
    assert left is not None
    time.sleep(2)
    later = jobs.get(second).held_up
    assert later is not None
    assert limit - PATIENCE < later <= left - 2 < limit
    jobs.step(first)
    until(jobs, second, lambda job: job.held_up is not None and job.held_up > later)  # a step begins the pause anew
    jobs.resume(first)
    learning(jobs, first, since=steps(before) + 1)
    assert jobs.get(second).held_up is None


def test_a_worker_that_is_killed_fails_its_job_and_no_other(jobs: Jobs) -> None:
    first = jobs.submit(LONG, owner="ann", dataset="builtin")
    second = jobs.submit(SHORT, owner="bob", dataset="builtin")
    learning(jobs, first)
    worker = jobs._entry(first).process
    assert worker in {process.pid for process in workers()}, "other tests may have workers of their own"
    os.kill(worker, signal.SIGKILL)
    job = ended(jobs, first)
    assert (job.status, job.run) == ("failed", None)
    assert job.message == (
        "The process that trained it ended unexpectedly in epoch 1. Nothing else is affected: train it again."
    )
    assert ended(jobs, second).status == "done"


def test_a_training_that_goes_wrong_says_why(jobs: Jobs) -> None:
    steep = SHORT.with_changes(
        hidden=(12, 12, 12, 12), activation="elu", optimizer="sgd", learning_rate=10.0, epochs=99
    )
    job = ended(jobs, jobs.submit(steep, owner="ann", dataset="builtin"))
    assert (job.status, job.run) == ("failed", None)
    assert job.message.startswith("The loss stopped being a number in epoch ")
    job = ended(jobs, jobs.submit(SHORT, owner="ann", dataset="mnist"))
    assert job.status == "failed"
    assert job.message.startswith("MNIST is not on this machine.")


def test_the_limit_on_time_keeps_what_was_learned(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "limits", dataclasses.replace(jobs.limits, seconds=0.0))
    job = ended(jobs, jobs.submit(LONG, owner="ann", dataset="builtin"))
    assert (job.status, job.message) == (
        "stopped", "It reached the limit of 0 seconds. What it had learned by then is kept."
    )  # fmt: skip
    assert job.run


def test_a_pause_does_not_keep_others_waiting_for_ever(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "limits", dataclasses.replace(jobs.limits, paused_seconds=0.0))
    id = jobs.submit(LONG, owner="ann", dataset="builtin")
    learning(jobs, id)
    jobs.pause(id)
    job = ended(jobs, id)
    assert job.status == "stopped"
    assert job.message.startswith("It stood still for 0 seconds, and others may be waiting.")


def test_a_job_goes_on_from_a_run(
    tiny: Run, digit_lab_home: Path, jobs: Jobs, _home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGIT_LAB_HOME", str(digit_lab_home))
    careful = tiny.recipe.with_changes(epochs=1, learning_rate=1e-6)
    id = jobs.submit(careful, owner="ann", dataset="builtin", continue_from="tiny", name="tiny")
    with pytest.raises(DigitLabError, match="other layers than 'tiny'"):
        jobs.submit(SHORT, owner="bob", dataset="builtin", continue_from="tiny")
    job = ended(jobs, id)
    assert (job.status, job.message) == ("done", "")
    assert job.news[-1].accuracy == pytest.approx(tiny.metrics.train_accuracy, abs=0.02)
    monkeypatch.setenv("DIGIT_LAB_HOME", str(_home))
    assert runs.load_run(str(job.run)).continued_from == "tiny"


def test_a_name_that_is_taken_gets_a_number(jobs: Jobs) -> None:
    found = []
    for _ in range(2):
        found.append(ended(jobs, jobs.submit(SHORT, owner="ann", dataset="builtin", name="mine")).run)
    assert found == ["mine", "mine-1"]


NAN = np.full((28, 28), np.nan, np.float32)


@pytest.mark.parametrize(
    ("forged", "sentence"),
    [
        ({"dataset": "/etc"}, "There is no dataset called '/etc' to train on."),
        ({"name": "../up"}, "cannot be the name of a run"),
        ({"name": "ann"}, "it is a bundled one's"),
        ({"continue_from": "nobody"}, "There is no run called 'nobody'"),
        ({"drawing": np.zeros((28, 29), np.float32)}, "The drawing to be answered is no digit image."),
        ({"drawing": NAN}, "The drawing to be answered is no digit image."),
    ],
)
def test_what_is_forged_is_refused_at_once(forged: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    with pytest.raises(DigitLabError, match=sentence):
        jobs.submit(SHORT, owner="ann", **{"dataset": "builtin", **forged})
    assert jobs.list() == []


def test_an_unknown_id_is_refused_with_a_sentence(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    for call in (jobs.get, jobs.pause, jobs.resume, jobs.step, jobs.stop):
        with pytest.raises(DigitLabError, match="This training is not known here"):
            call("x")


def test_a_cluster_that_cannot_be_reached_fails_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.2)
    jobs = Jobs(tmp_path, "tcp://127.0.0.1:9")
    job = ended(jobs, jobs.submit(SHORT, owner="ann", dataset="builtin"))
    jobs.close()
    assert job.status == "failed"
    assert job.message.startswith("The training cluster at tcp://127.0.0.1:9 cannot be used: ")


def test_a_cluster_elsewhere_takes_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    before = {worker.pid for worker in workers()}
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as elsewhere:
        monkeypatch.setenv("DIGIT_LAB_SCHEDULER", elsewhere.scheduler_address)
        jobs = Jobs(tmp_path)
        try:
            assert jobs.limits.memory is None, "what a worker of our own may take does not hold there"
            assert ended(jobs, jobs.submit(SHORT, owner="ann", dataset="builtin")).status == "done"
            id = jobs.submit(LONG, owner="ann", dataset="builtin")
            learning(jobs, id)
            (worker,) = {worker.pid for worker in workers()} - before
            os.kill(worker, signal.SIGKILL)
            job = ended(jobs, id)
        finally:
            jobs.close()
    assert job.status == "failed", "though that cluster gives what a dead worker had to the next one"
    assert job.message.startswith("The process that trained it ended unexpectedly in epoch 1.")


def test_a_training_that_needs_too_much_memory_fails_and_says_so(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, limits=Limits(memory=2 * 2**30))
    huge = Recipe(ModelRecipe(filters=(256,), hidden=()), TrainRecipe(batch_size=2048, validation_share=0))
    try:
        job = ended(jobs, jobs.submit(huge, owner="ann", dataset="builtin"))
        assert job.status == "failed"
        assert job.message == (
            "The training needed more memory than it may have: try a smaller network or smaller batches. "
            "The limit is 2 GB."
        )
    finally:
        jobs.close()


SERVER = """
import sys, time
from pathlib import Path
import psutil
from mnist_core.cluster import Jobs
from tests.core.test_cluster import LONG, learning, workers
if __name__ == "__main__":
    jobs = Jobs(Path(sys.argv[1]))
    learning(jobs, jobs.submit(LONG, owner="ann", dataset="builtin"))
    print(*(worker.pid for worker in workers()), flush=True)
    if sys.argv[2] == "wait":
        time.sleep(1000)
"""


@pytest.mark.parametrize("end", ["by itself", "killed"])
def test_nothing_is_left_running_at_the_end_of_the_server(end: str, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    command = [sys.executable, str(tmp_path / "server.py"), str(tmp_path), "wait" if end == "killed" else "end"]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        left = [psutil.Process(int(pid)) for pid in server.stdout.readline().split()]
        assert left
        if end == "killed":
            server.kill()
    _, alive = psutil.wait_procs(left, timeout=PATIENCE)
    assert not alive
