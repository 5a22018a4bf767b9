"""The sub-cell decoders, as the importers compute them."""

from fastpose.importing.soft_decode import softmax_mean, window_mean

__all__ = ["softmax_mean", "window_mean"]
