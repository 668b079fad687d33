"""What is measured on recordings and on simulated people: one file each, found by its place.

A file offers `measure(data, *, quick)`: it yields `Figure`s, and none where its folder is absent from `data` (None: no
recordings at hand). `quick`: few simulated people, to see that it runs.
"""
