"""What an NVIDIA GPU does with our graph, beside PyTorch as DeepLabCut-live runs it: `benches/gpu/run.sh`."""
