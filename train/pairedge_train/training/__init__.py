"""The training loop, losses, augmentation, evaluation, calibration and checkpoints."""
