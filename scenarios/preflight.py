"""Before a release: the image exists, Argo CD is synced and healthy, the canary takes no traffic."""

from checks.argocd import test_argocd_synced
from checks.at_rest import test_traffic_at_rest
from checks.image import test_image_exists
from checks.plan_fits import test_plan_fits
from checks.restored import test_at_rest
