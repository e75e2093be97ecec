"""Where the bus is and who we are on it."""

from pydantic import Field, SecretStr, field_validator

from narthex.runtime.settings import SecretSettings, group, parse_url


class BusSettings(SecretSettings):
    model_config = group("NARTHEX_NATS_")

    url: str = "nats://127.0.0.1:4222"  # several, separated by commas, for a cluster
    user: str = ""
    password: SecretStr = SecretStr("")
    replicas: int = Field(1, ge=1, le=5)  # copies of each stream; 3 in a cluster
    requests_max_bytes: int = 1024**3  # request records wait here while audit is away, then in the routers

    @field_validator("url")
    @classmethod
    def _url(cls, text: str) -> str:
        for each in text.split(","):
            if "@" in parse_url(each.strip(), ("nats", "tls")).netloc:
                raise ValueError("who we are goes into NARTHEX_NATS_USER and NARTHEX_NATS_PASSWORD: the URL is shown")
        return text
