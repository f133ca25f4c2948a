"""Who drives: the phases of a rollout, the one who writes, the suites in between, the command line."""
