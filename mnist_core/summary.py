"""All figures of a run on a dataset as plain values, to be written as JSON."""

from dataclasses import asdict

from mnist_core import calibration, confusion
from mnist_core.predictions import Predictions
from mnist_core.scores import digit_scores, scores


def summary(predictions: Predictions) -> dict[str, object]:
    """Return scores, the ten digits', the confusion matrix, calibration and the coverage curve; shares in [0, 1]."""
    certainty = calibration.certainty(predictions)
    curve = calibration.coverage(predictions)
    return {
        "run": predictions.run,
        "data": predictions.dataset,
        **asdict(scores(predictions)),
        "digits": [
            asdict(one) | {"recall": one.recall, "precision": one.precision, "f1": one.f1}
            for one in digit_scores(predictions)
        ],
        "confusion": confusion.matrix(predictions).tolist(),
        "calibration": {
            "temperature": predictions.temperature,
            "expected_error_before": certainty.error_before,
            "expected_error_after": certainty.error_after,
            "before": [asdict(one) for one in certainty.before],
            "after": [asdict(one) for one in certainty.after],
        },
        "refusal": asdict(calibration.refuse(predictions, predictions.least_probability)),
        "coverage": {
            "threshold": curve.threshold.tolist(),
            "coverage": curve.coverage.tolist(),
            "accuracy": curve.accuracy.tolist(),
        },
    }
