"""How long one drawing takes on one core, from the canvas' PNG to probabilities."""

import os

import cv2

from bench import inputs
from bench.beside import beside_baselines
from bench.report import Figure
from mnist_core import images


def measure(run: str) -> list[Figure]:
    """Time one drawing; this process, which measures nothing else, keeps to one core from here on."""
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):  # before TensorFlow starts its threads, which inherit it
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    name = "a 280x280 drawing on one core, PNG to probabilities"
    return beside_baselines(name, run, inputs.drawing(), images.decode_canvas, rounds=300, warm_up=3)
