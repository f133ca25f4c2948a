"""The report of a rollout: one folder with a page, a style sheet and an icon, for Jenkins and for the archive."""
