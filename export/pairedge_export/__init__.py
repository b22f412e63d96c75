"""Export: from a checkpoint to ONNX graphs, proof of their parity with torch, and a model card."""
