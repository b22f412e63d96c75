"""Export: from a checkpoint to ONNX graphs, a proof that they decide alike, and a card that says how well."""
