"""``sluicegate doctor``: whether all that a release will need is there, before it is needed."""
