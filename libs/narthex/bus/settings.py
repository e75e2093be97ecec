"""Where the bus is and who we are on it."""

from pydantic import SecretStr

from narthex.runtime.settings import SecretSettings, group


class BusSettings(SecretSettings):
    model_config = group("NARTHEX_NATS_")

    url: str = "nats://127.0.0.1:4222"  # several, separated by commas, for a cluster
    user: str = ""
    password: SecretStr = SecretStr("")
    replicas: int = 1  # copies of each stream; 3 in a cluster
    requests_max_bytes: int = 1024**3  # request records wait here while audit is away, then in the routers
