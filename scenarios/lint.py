"""Before anything is released: nothing in the manifests would spoil a canary; ``--manifests FOLDER`` for a checkout."""

from checks.manifests.deployments import test_versions_are_apart
from checks.manifests.files import test_manifests_are_read_as_they_look
from checks.manifests.gitops import test_argocd_leaves_the_release_alone
from checks.manifests.images import test_images_are_fixed
from checks.manifests.keys import test_istio_knows_every_key
from checks.manifests.probes import test_pods_say_when_they_are_ready
from checks.manifests.routes import test_routes_split_the_traffic
from checks.manifests.services import test_service_reaches_both_versions
from checks.manifests.subsets import test_subsets_are_the_two_versions
from checks.manifests.timeouts import test_requests_end_and_count_once
