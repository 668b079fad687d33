"""Session files and what is remembered between sessions."""
