"""Settings of the public endpoints: groups of `marquee.settings.groups`, in a module of their own for their length."""

from pydantic import BaseModel, Field


class PublicEndpoints(BaseModel):
    """The public endpoints

    The addresses that clients use. Empty: this host's ports on MARQUEE_BIND_HOST.
    """

    public_url: str = Field("", description="The gateway, as clients reach it.")
    public_s3_url: str = Field("", description="S3, as clients reach it to upload parts.")
    public_edge_urls: str = Field("", description="The edges, as clients reach them, separated by commas.")


class PublicBounds(BaseModel):
    """Bounds of the public endpoints

    What one client may hold open. An IPv6 client is its /64 network.
    """

    client_header_seconds: int = Field(
        10, ge=1, description="Seconds within which a request's headers must have arrived."
    )
    client_idle_seconds: int = Field(
        20,
        ge=1,
        description="Seconds without a byte, of a request or of a read answer, after which a request is ended.",
    )
    upload_min_bytes_per_second: int = Field(
        32 * 1024,
        ge=1,
        description="Bytes per second. S3's proxy ends a request that is slower, after MARQUEE_CLIENT_IDLE_SECONDS.",
    )
    s3_answer_seconds: int = Field(
        30, ge=1, description="Seconds that S3 may take to answer a request, or to take more of a part."
    )
    s3_connections: int = Field(1024, ge=1, le=8192, description="Number of connections at once to S3's proxy.")
    s3_connections_per_address: int = Field(
        64, ge=1, description="Number of connections at once to S3's proxy from one client address."
    )
    edge_connections: int = Field(16384, ge=1, le=65536, description="Number of connections at once to one edge.")
    edge_connections_per_address: int = Field(
        256, ge=1, description="Number of requests at once to one edge from one client address."
    )


class Tls(BaseModel):
    """TLS of the public endpoints

    Gateway, S3's proxy and edges present one certificate. Renewed files are used without a restart.
    """

    tls_certificate: str = Field(
        "", description="PEM file: the certificate, then those of its issuers. Empty: the endpoints speak plain HTTP."
    )
    tls_key: str = Field("", description="PEM file of the certificate's private key, without a pass phrase.")
    tls_authorities: str = Field(
        "",
        description="PEM file of authorities that the commands and Dagster trust beside the machine's, such as a private one.",
    )
    http_redirect_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port, such as 80, at which the gateway answers plain HTTP by a redirect to https. It needs a certificate. "
        "0: there is no such port.",
    )
    hsts_seconds: int = Field(
        365 * 24 * 3600,
        ge=0,
        description="Seconds for which browsers use https only, once they have seen it (HSTS). 0: the header is not sent.",
    )
