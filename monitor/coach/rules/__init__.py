"""Socket for prompt rules: one file each."""
