"""Floor 1: the shared language. Inputs, blocks, events, protocols, errors, quaternions. Imports numpy only."""
