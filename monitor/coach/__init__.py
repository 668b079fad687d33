"""Prompt rules, caps and wording. Pure."""
