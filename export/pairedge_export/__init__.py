"""Export: a checkpoint to ONNX graphs, proof that they decide as it does, and a model card."""
