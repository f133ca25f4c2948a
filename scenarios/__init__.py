"""WHICH gates stand together: short lists of promises that are run by path, ``pytest scenarios/preflight.py``."""
