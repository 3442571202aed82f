"""The address of a request's client, as limits count it: the gateway's header, else the connection's own address."""

from api.requests import ApiRequest
from marquee.domain.client_address import CLIENT_ADDRESS_HEADER, limited_network


def provide_client_address(request: ApiRequest) -> str:
    """The client's address, an IPv6 address as its /64. Injected into handlers as `client_address`.

    The gateway overwrites the header. A request without it did not come by the gateway: then the connection's address counts.
    """
    given = request.headers.get(CLIENT_ADDRESS_HEADER)
    return limited_network(given or (request.client.host if request.client else ""))
