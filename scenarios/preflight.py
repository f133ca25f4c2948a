"""Before a release: nothing in its manifests would spoil it, image and Argo CD are ready, the canary is at rest."""

from checks.argocd import test_argocd_synced
from checks.at_rest import test_traffic_at_rest
from checks.freeze import test_no_freeze
from checks.image import test_image_exists
from checks.manifests.lint import test_manifests
from checks.plan_fits import test_plan_fits
from checks.restored import test_at_rest
