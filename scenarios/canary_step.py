"""While the canary has a weight: it answers well, gets its share, stays up, and Git stays in charge."""

from checks.argocd import test_argocd_stays_synced
from checks.error_rate import test_error_rate
from checks.pods import test_canary_pods_stay_up
from checks.traffic_split import test_traffic_split
