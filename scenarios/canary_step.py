"""While the canary has a weight: it answers well and fast, gets its share, stays up, and Git stays in charge.

While stable's image changes in Git it still has to do all that, but Argo CD is at work (``--part promoting``).
"""

from checks.against_stable import test_error_rate_against_stable
from checks.alerts import test_no_alert_fires, test_own_queries_in_range
from checks.argocd import test_argocd_stays_synced
from checks.capacity import test_enough_pods
from checks.error_rate import test_error_rate
from checks.hanging import test_requests_end
from checks.latency import test_latency
from checks.pods import test_canary_pods_stay_up
from checks.traffic_split import test_traffic_split

PARTS = {
    "promoting": (
        *("error_rate", "error_rate_against_stable", "latency", "requests_end", "traffic_split"),
        *("canary_pods_stay_up", "enough_pods", "no_alert_fires", "own_queries_in_range"),
    ),
}
