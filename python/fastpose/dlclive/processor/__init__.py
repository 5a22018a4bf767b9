"""What runs on every pose before it is returned."""

from fastpose.dlclive.processor.kalmanfilter import KalmanFilterPredictor
from fastpose.dlclive.processor.processor import Processor

__all__ = ["KalmanFilterPredictor", "Processor"]
