"""Judges recorded traffic again, offline: the same judges, the same looks, other objectives if one likes."""
