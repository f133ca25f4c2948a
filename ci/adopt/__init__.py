"""``sluicegate init``: from a service with one Deployment to one that is ready for a canary, as a diff."""
