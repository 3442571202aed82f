"""How an upload ends without a film: what it stored is removed first, then the catalogue says that it ended.

The API's abort and housekeeping follow this one rule. After a kill in between, the upload is still open, and the next call goes
on. In the other order no row would name the parts any more. An upload whose parts are joined already is not ended: it finishes.
"""

from marquee.domain.lifecycle import EndedEarly
from marquee.errors import UploadStateConflict
from marquee.ingest.removal import remove_upload
from marquee.stores.catalogue.contract import Uploads
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects


async def end_upload(uploads: Uploads, objects: Objects, upload_id: str, state: EndedEarly) -> None:
    """Remove an upload's parts and subtitles and end it; ending it again is harmless.

    Raises `UploadUnknown`, `UploadStateConflict` for an upload that is completed or about to be.
    """
    upload = await uploads.get(upload_id)
    _check_not_completed(upload)
    await objects.abort_multipart(upload.key, upload.multipart_id)
    # From here on nobody can join the parts; who joined them a moment ago left the object, and its upload is completed.
    upload = await uploads.get(upload_id)
    _check_not_completed(upload)
    if upload.state == "completing" and await objects.head(upload.key) is not None:
        raise UploadStateConflict("The upload is being completed.", field="upload_id")
    await remove_upload(objects, upload)
    await uploads.end(upload_id, state)


def _check_not_completed(upload: Upload) -> None:
    if upload.state == "completed":
        raise UploadStateConflict("The upload is completed already.", field="upload_id")
