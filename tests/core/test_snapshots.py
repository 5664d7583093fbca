import numpy as np

from mnist_core.snapshots import first_layer
from mnist_core.trained import Checkpoints


def test_a_dense_layers_columns_are_pictures_with_zero_in_the_middle() -> None:
    kernel = np.zeros((784, 70), np.float32)
    kernel[28 * 3 + 5, 0], kernel[28 * 20 + 1, 0] = 2.0, -1.0
    pictures = first_layer({"hidden_1/kernel": kernel, "hidden_1/bias": np.ones(70, np.float32)})
    assert (pictures.shape, pictures.dtype) == ((64, 28, 28), np.uint8)
    assert (pictures[0, 3, 5], pictures[0, 20, 1], pictures[0, 0, 0]) == (255, 64, 128)
    assert (pictures[1] == 128).all(), "no weight, no ink"


def test_the_filters_of_a_convolution_are_enlarged() -> None:
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[0, 2, 0, 1] = -0.5
    pictures = first_layer({"conv_1a/kernel": kernel, "conv_1b/kernel": np.ones((3, 3, 2, 2), np.float32)})
    assert pictures.shape == (2, 28, 28)
    assert (pictures[1, :9, 19:] == 1).all()
    assert (pictures[1, 10:] == 128).all()


def kept(epochs: int, floats: int = 1) -> list[int]:
    checkpoints = Checkpoints()
    for epoch in range(1, epochs + 1):
        checkpoints.add(epoch, {"kernel": np.full(floats, epoch, np.float32)})
        assert epoch in checkpoints.kept(), "the latest is always there"
    assert all(weights["kernel"][0] == epoch for epoch, weights in checkpoints.kept().items())
    return list(checkpoints.kept())


def test_every_epoch_is_kept_while_there_are_few() -> None:
    assert kept(20) == list(range(1, 21))


def test_of_many_epochs_some_are_kept_evenly_with_the_first_and_the_last() -> None:
    assert kept(21) == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21]
    assert kept(100) == [1, 9, 17, 25, 33, 41, 49, 57, 65, 73, 81, 89, 97, 100]
    for epochs in (1, 2, 39, 40, 41, 333, 1000):
        found = kept(epochs)
        assert len(found) <= 20
        assert (found[0], found[-1]) == (1, epochs)


def test_of_a_large_network_fewer_are_kept() -> None:
    assert len(kept(9, floats=2**23)) == 3, "32 MB each, and 128 MB are the limit"
