"""After stable's image is in Git: stable may take the traffic (``--part ready``), then serves it (``serving``).

Between the two parts the weights go to stable 100, canary 0; ``serving`` is run with ``--step 0``.
"""

from checks.argocd import test_argocd_stays_synced, test_argocd_synced
from checks.digest import test_stable_runs_the_image
from checks.error_rate import test_stable_error_rate
from checks.traffic_split import test_traffic_split

PARTS = {
    "ready": ("argocd_synced", "stable_runs_the_image"),
    "serving": ("argocd_stays_synced", "stable_error_rate", "traffic_split"),
}
