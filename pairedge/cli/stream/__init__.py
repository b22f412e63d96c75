"""From arguments to rows: the inputs, workers, outputs and progress of all commands that answer pictures."""
