"""After the canary's image is in Git: Argo CD runs our commit, every canary pod is ready and runs the digest."""

from checks.argocd import test_argocd_synced
from checks.digest import test_canary_runs_the_image
from checks.restored import test_at_rest
