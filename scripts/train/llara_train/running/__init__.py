"""What every training run needs around its steps: the loop, the state to resume from, the log, the result."""
