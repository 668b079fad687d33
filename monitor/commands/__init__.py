"""One file per group of commands: what the door (cli.py) runs."""
