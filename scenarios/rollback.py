"""After a rollback: Git, cluster and data plane are as they were before the release."""

from checks.argocd import test_argocd_synced
from checks.restored import test_restored
