"""The same analysis over many files."""
