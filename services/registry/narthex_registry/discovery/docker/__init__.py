"""The provider `docker`: containers of one engine, by their labels."""

from narthex_registry.discovery.docker.provider import DockerProvider as DockerProvider
