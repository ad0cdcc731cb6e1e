"""The commands: each module parses one command's options and calls the rooms that do the work."""
