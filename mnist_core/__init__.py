"""Digit Lab's library: from a picture of a digit to an answer, every step kept.

Importing the package is cheap; import the submodule you need. TensorFlow is loaded only by
`mnist_core.network`, `mnist_core.training` and `mnist_core.conversion`, and by `mnist_core.recognizer` for a
convolutional network.
"""

__version__ = "0.1.0"
