"""Which network to choose: the mistakes of each on digits that none has learned from, as they are and distorted.

    python -m bench.choose ann cnn

A few more or fewer of the held-back digits as they are say little: most networks read all but a dozen. So they are
also shown distorted, a quarter, half and as strongly as the preset `ann` learns from, ten times each.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mnist_core import data, network, runs
from mnist_core.augment import EpochSource
from mnist_core.recipes import TrainRecipe, preset
from mnist_core.runs import DEFAULT_RUN
from mnist_core.training import scores

_STRENGTHS = {"a quarter": 0.25, "half": 0.5, "full": 1.0}
_DRAWS = 10
_SEED = 77  # not one with which a preset learns

Shown = tuple[str, npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def shown() -> Iterator[Shown]:
    """Yield the held-back digits ``uint8 (n, 28, 28)`` as they are and distorted, with a name and their labels."""
    recipe = preset(DEFAULT_RUN).training
    dataset = data.load("mnist")
    _, held = data.stratified_split(dataset.train_labels, recipe.validation_share)
    images, labels = dataset.train_images[held], dataset.train_labels[held]
    yield "as they are", images, labels
    for name, strength in _STRENGTHS.items():
        how = TrainRecipe(distortion=recipe.distortion.weaker(strength, clean_share=0.0), seed=_SEED)
        source = EpochSource(images, labels, how)
        drawn = [source.draw(epoch) for epoch in range(1, _DRAWS + 1)]
        yield name, np.concatenate([one for one, _ in drawn]), np.concatenate([one for _, one in drawn])


def main() -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="networks that held back the same digits as the presets do")
    names = parser.parse_args().runs
    models = {}
    for name in names:
        run = runs.load_run(name)
        if run.recipe.training.validation_share != preset(DEFAULT_RUN).training.validation_share:
            parser.error(f"{name} held back other digits, and may have learned from these.")
        models[name] = network.build(run.recipe.model)
        network.set_weights(models[name], runs.load_weights(run))
    wide = max(map(len, names))
    print(f"{'wrong of the held-back digits':30}" + "".join(f"  {name:>{wide}}" for name in names))
    for title, images, labels in shown():
        wrong = [np.count_nonzero(scores(model, images).argmax(axis=1) != labels) for model in models.values()]
        print(f"{f'{title}, of {len(labels):,}':30}" + "".join(f"  {count:>{wide}}" for count in wrong), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
