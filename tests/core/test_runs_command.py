"""``python -m mnist_core runs ...``: what can be done with a run from the command line."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from mnist_core import comparison
from mnist_core.__main__ import main
from mnist_core.runs import Run, list_runs, load_run, load_weights


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main(["runs", *map(str, words)])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_run_is_renamed_noted_deleted_and_brought_back(tiny: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "rename", "tiny", "small") == (0, "tiny is called small now\n", "")
    assert said(capsys, "note", "small", "the first") == (0, "small: the first\n", "")
    assert "  the first\n" in said(capsys)[1], "the list shows the note"
    status, out, _ = said(capsys, "--json", "delete", "small")
    token = json.loads(out)["token"]
    assert (status, [run.name for run in list_runs() if run.origin == "trained"]) == (0, [])
    assert json.loads(said(capsys, "restore", token, "--json")[1]) == {"run": "small"}
    said(capsys, "delete", "small")
    assert said(capsys, "restore", "small") == (0, "small is back\n", ""), "its name will do"
    assert load_run("small").note == "the first"


def test_an_exported_run_is_imported_as_it_was(tiny: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ending in (".zip", ".safetensors"):
        path = tmp_path / f"tiny{ending}"
        status, out, _ = said(capsys, "export", "tiny", path, "--json")
        assert (status, json.loads(out)) == (0, {"run": "tiny", "file": str(path), "bytes": path.stat().st_size})
        status, out, _ = said(capsys, "import", path, "--json")
        name = json.loads(out)["run"]
        assert (status, load_run(name).metrics) == (0, tiny.metrics)
        np.testing.assert_array_equal(load_weights(load_run(name))["logits/bias"], load_weights(tiny)["logits/bias"])


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn.t accept a copy:DeprecationWarning")
def test_every_ending_gives_its_kind_of_file(tiny: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ending in (".py", ".keras", ".tflite"):
        status, out, _ = said(capsys, "export", "tiny", tmp_path / f"run{ending}", "--json")
        assert (status, out.count("\n")) == (0, 1), "one object and nothing else"
    compile((tmp_path / "run.py").read_text(), "run.py", "exec")
    assert zipfile.is_zipfile(tmp_path / "run.keras")
    assert (tmp_path / "run.tflite").read_bytes()[4:8] == b"TFL3"


def test_compare_says_what_the_library_says(tiny: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "compare", "classic-50-50", "classic-128", "--json")
    found = json.loads(out)
    pair = [load_run(name) for name in ("classic-50-50", "classic-128")]
    first, second = comparison.same_digits(pair)
    test = comparison.mcnemar(first.wrong, second.wrong)
    assert (status, found["p_value"], found["only_first"]) == (0, test.p_value, test.only_first)
    assert found["differences"]["Hidden layers"] == ["50, 50", "128"]
    words = said(capsys, "compare", "classic-50-50", "classic-128")[1]
    assert words.startswith("Hidden layers: 50, 50 | 128\n")
    assert words.endswith(found["sentence"] + "\n")
    assert said(capsys, "compare", "tiny", "tiny")[1].startswith("The recipes are the same.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["delete", "ann"], "'ann' came with Digit Lab and stays as it is."),
        (["rename", "tiny", "ann"], "it is a bundled one's"),
        (["restore", "tiny"], "cannot be brought back"),
        (["export", "nobody", "x.zip"], "There is no run called 'nobody'"),
        (["export", "tiny", "x.exe"], "has no ending that says what to make of it: .zip (all of it)"),
        (["export", "tiny", "no/such/folder/x.zip"], "could not be written: No such file or directory."),
        (["import", "no/such/file.zip"], "could not be read: No such file or directory."),
        (["import", "README.md"], "This is no run"),
        (["compare", "tiny", "ann"], "were tested on different digits"),
    ],
)
def test_what_cannot_be_done_is_told(
    words: list[str], sentence: str, tiny: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = said(capsys, *words)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    assert sentence in err


def test_a_forged_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "forged.safetensors"
    path.write_bytes(safetensors.numpy.save({"x": np.zeros(3, np.float32)}))
    status, _, err = said(capsys, "import", path)
    assert (status, err.count("\n")) == (1, 1)
    assert "does not say which recipe" in err


@pytest.mark.parametrize("action", ["compare", "rename", "note", "delete", "restore", "export", "import"])
def test_every_action_explains_itself(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["runs", action, "--help"])
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_an_unknown_action_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["runs", "paint"])
    assert ended.value.code == 2
    assert "'paint'" in capsys.readouterr().err
