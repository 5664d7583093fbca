"""Write docs/steps.md: one photo taken through every preprocessing step. Run from the project's root."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from mnist_core import images, xray
from mnist_core.evaluation import in_percent
from mnist_core.preprocess import prepare
from mnist_core.recognizer import Recognizer

DOCS = Path(__file__).parent
PICTURE = DOCS.parent / "assets" / "samples" / "shadow.jpg"
WIDTH = 240

WHY = {
    "grey": "Colour says nothing about which digit it is. Where it alone tells the ink from the paper, as with a "
    "yellow pen, the colour channel that shows it best is taken.",
    "light": "A shadow is often darker than the ink in the sun. Divided by the brightness of the paper around it, ink "
    "looks the same in both.",
    "polarity": "MNIST is white on black; paper is the other way round. Strokes are narrow and differ from what "
    "surrounds them: that tells which of the two is the ink, even on a dark ground. Of a note on a table only the note "
    "is looked at.",
    "threshold": "Paper has grain and cameras have noise. What is not clearly stronger than that is not ink, and on "
    "blank paper nothing is left.",
    "found": "Specks, printed lines, the paper's edge, which has paper on one side only, and neighbours are not the "
    "digit, nor is a box or a circle around it or a line under it; the pieces of a broken stroke are.",
    "cropped": "Where on the picture somebody wrote says nothing about what they wrote.",
    "stroke": "A felt pen fills the loops of an 8, a ballpoint vanishes when it is made small. Both are brought near "
    "the width of the pens that MNIST was written with.",
    "scaled": "MNIST's digits fill a box of 20 by 20 pixels, and are neither stretched nor squeezed.",
    "centred": "MNIST's digits stand with their centre of mass in the middle of 28 by 28 pixels. A network of dense "
    "layers has never seen them anywhere else.",
}


def save(name: str, image: npt.NDArray[np.uint8] | npt.NDArray[np.float32]) -> None:
    """Write a step's picture, small ones enlarged without smoothing so that the pixels show."""
    picture = image if image.dtype == np.uint8 else np.rint(image * 255).astype(np.uint8)
    height = round(WIDTH * picture.shape[0] / picture.shape[1])
    method = cv2.INTER_NEAREST if picture.shape[1] < 60 else cv2.INTER_AREA
    shown = np.asarray(cv2.resize(picture, (WIDTH, height), interpolation=method), np.uint8)
    (DOCS / "images" / name).write_bytes(images.encode_png(shown))


def main() -> None:
    """Prepare the picture, save every step and say why it is there."""
    grey = images.load(PICTURE).grey
    recognizer = Recognizer.load()
    prepared = prepare(grey)
    lines = [
        "# From a photo to 28 by 28 pixels",
        "",
        f"What happens to [{PICTURE.name}](../assets/samples/{PICTURE.name}), and why. Written by `python -m "
        f"docs.make_steps`; the answers are those of `{recognizer.run.name}`.",
        "",
        "| step | what it did here | why it is there | answer if it ended here |",
        "| --- | --- | --- | --- |",
    ]
    for number, stage in enumerate(xray.stages(prepared, recognizer), start=1):
        name = f"step-{number}-{stage.step.name}.png"
        save(name, stage.step.image)
        answer = f"{stage.digit} ({in_percent(stage.probability)})" + (" **from here on**" if stage.decisive else "")
        picture = f'<img src="images/{name}" width="{WIDTH // 2}" alt="{stage.step.title}">'
        why = WHY[stage.step.name]
        lines.append(f"| {number}. {stage.step.title}<br>{picture} | {stage.step.sentence} | {why} | {answer} |")
    lines += ["", "## Without one of them", ""]
    lines += [f"- {one.sentence}" for one in xray.without_each(grey, recognizer)]
    (DOCS / "steps.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
