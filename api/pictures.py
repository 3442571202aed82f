"""Pictures of titles as the API answers them: public addresses at the title's edge, with sizes."""

from collections.abc import Sequence

from api.wire import PictureOut
from marquee.cdn.addresses import EdgeAddresses
from marquee.documents import BackdropPicture


def backdrop_out(addresses: EdgeAddresses, movie_id: str, backdrop: Sequence[BackdropPicture]) -> list[PictureOut]:
    """The sizes of a title's wide picture, the smallest first."""
    return [PictureOut(url=addresses.image(movie_id, one.key), width=one.width, height=one.height) for one in backdrop]
