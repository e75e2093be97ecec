"""The provider `kubernetes`: EndpointSlices of a cluster, of labelled services and of imported ones."""

from narthex_registry.discovery.kubernetes.provider import KubernetesProvider as KubernetesProvider
