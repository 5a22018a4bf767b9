"""Networks on NVIDIA GPUs: runtimes that build engines, their cache, and the way into the engine's graph.

The ladder: a `Runtime` (TensorRT, TensorRT-RTX, PyTorch) builds a plan from ONNX, once for a GPU, and the
`engine_cache` keeps it; a plan loaded on a GPU is a `Program`, which runs on a raw stream; captured there it
is a CUDA graph, which the engine makes a child of its own. After that no runtime and no Python has a part.
"""
