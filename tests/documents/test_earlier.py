"""A `manifest.json` that one stage wrote for scores, images and manifests is read as the documents of three stages."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import (
    DOCUMENT_OF_STAGE,
    ONCE_IN_MANIFEST,
    STAGES,
    ImagesDocument,
    ManifestDocument,
    QualityDocument,
    QualityScore,
    from_earlier_manifest,
    notes_in,
)
from marquee.notes import note

STORED = b"""{
 "movie_id": "m_1", "version": 2,
 "hls": "m_1/v2/master.m3u8", "dash": "m_1/v2/manifest.mpd",
 "poster": "images/m_1/v2/poster.jpg", "sprite": "images/m_1/v2/sprite.jpg", "sprite_vtt": "images/m_1/v2/sprite.vtt",
 "duration_seconds": 16.0,
 "files": ["m_1/v2/master.m3u8", "m_1/v2/manifest.mpd", "m_1/v2/video/360p/init.mp4",
  "images/m_1/v2/poster.jpg", "images/m_1/v2/sprite.vtt", "images/m_1/v2/sprite.jpg"],
 "quality": [
  {"rung": "360p", "vmaf_mean": 91.5, "vmaf_min": 80.0, "frames_scored": 20, "segments_scored": 1, "cpu_seconds": 3.5}
 ]
}"""
"""As the release before stored it."""


def test_the_earlier_manifest_is_read_as_three_documents() -> None:
    assert msgspec.json.decode(STORED, type=ManifestDocument) == ManifestDocument(
        movie_id="m_1",
        version=2,
        hls="m_1/v2/master.m3u8",
        dash="m_1/v2/manifest.mpd",
        poster="images/m_1/v2/poster.jpg",
        sprite_vtt="images/m_1/v2/sprite.vtt",
        duration_seconds=16.0,
        files=[
            *("m_1/v2/master.m3u8", "m_1/v2/manifest.mpd", "m_1/v2/video/360p/init.mp4"),
            *("images/m_1/v2/poster.jpg", "images/m_1/v2/sprite.vtt", "images/m_1/v2/sprite.jpg"),
        ],
    )
    score = QualityScore(
        rung="360p", vmaf_mean=91.5, vmaf_min=80.0, frames_scored=20, segments_scored=1, cpu_seconds=3.5
    )
    assert from_earlier_manifest("quality", STORED) == QualityDocument(movie_id="m_1", version=2, scores=[score])
    assert from_earlier_manifest("images", STORED) == ImagesDocument(
        movie_id="m_1",
        version=2,
        poster="images/m_1/v2/poster.jpg",
        sprite="images/m_1/v2/sprite.jpg",
        sprite_vtt="images/m_1/v2/sprite.vtt",
        files=["images/m_1/v2/poster.jpg", "images/m_1/v2/sprite.vtt", "images/m_1/v2/sprite.jpg"],
    )


@pytest.mark.parametrize("stage", sorted(ONCE_IN_MANIFEST))
@given(names=st.lists(st.from_regex(r"[a-z]{1,5}\.jpg", fullmatch=True), max_size=3))
def test_a_manifest_of_the_present_form_stands_for_no_other_document(stage: str, names: list[str]) -> None:
    present = ManifestDocument(
        movie_id="m_1",
        version=1,
        hls="m_1/v1/master.m3u8",
        dash="m_1/v1/manifest.mpd",
        poster="images/m_1/v1/poster.jpg",
        sprite_vtt="images/m_1/v1/sprite.vtt",
        duration_seconds=1.0,
        files=names,
    )
    assert from_earlier_manifest(stage, msgspec.json.encode(present)) is None, (
        f"without {stage}.json the stage {stage} has not run, and its document is taken from somewhere"
    )


def test_sentences_of_an_earlier_release_are_read_as_notes() -> None:
    source = b'{"movie_id": "m_1", "version": 1, "warnings": ["The file ends before its last packet."]}'
    texts = b'{"movie_id": "m_1", "version": 1, "tracks": [], "left_out": ["A subtitle track is left out."]}'
    assert [(one.code, one.sentence) for body in (source, texts) for one in notes_in(body)] == [
        ("earlier-release", "The file ends before its last packet."),
        ("earlier-release", "A subtitle track is left out."),
    ]
    assert notes_in(STORED) == []


@given(st.sampled_from(STAGES))
def test_the_notes_of_every_stage_are_read_without_its_document(stage: str) -> None:
    assert "notes" in DOCUMENT_OF_STAGE[stage].__struct_fields__, f"what {stage} leaves out cannot be told"
    told = [note("no-sound")]
    assert notes_in(msgspec.json.encode({"movie_id": "m_1", "notes": told})) == told
