"""What is accepted and how it is encoded: a group of `marquee.settings.groups`, in a module of its own for its length."""

from pydantic import BaseModel, Field, field_validator

from marquee.notes import parse_codes


class Media(BaseModel):
    """Media

    What is accepted as a source, and how it is encoded.
    """

    profile: str = Field(
        "fast",
        description="The encoding profile of every new version: the name of a shipped one (`marquee profiles` lists them), or "
        "the absolute path of a YAML file of your own. See [profiles.md](profiles.md).",
    )
    chunk_segments: int = Field(
        3, ge=1, le=60, description="Number of segments in a chunk. A worker encodes one chunk at a time."
    )
    source_max_seconds: float = Field(24 * 3600.0, description="Seconds. Longer films are refused.")
    source_max_pixels: int = Field(
        8192 * 4320, description="Pixels (width x height). Films with larger pictures are refused."
    )
    quality_floor_vmaf: float = Field(
        60.0,
        ge=0,
        le=100,
        description="VMAF. A top rung with a lower mean gets more bits once. If it is still lower, the title is published with "
        "the note `quality-below-floor`, or refused if `MARQUEE_REFUSE_NOTES` names it. A wrong picture is never published.",
    )
    default_audio_language: str = Field(
        "",
        description="The language, such as `en`, in which a film is heard if the viewer chooses none. Films without it, and an "
        "empty value: the original language that the file states, else the file's default track, else its first.",
    )
    refuse_notes: str = Field(
        "",
        description="Codes of notes, separated by commas, such as `silent,picture-damaged`. A film with such a note is refused. "
        "The codes are in [notes.md](notes.md).",
    )
    process_memory_bytes: int = Field(
        4 * 1024**3, description="Bytes of address space that one media process (ffmpeg, for example) may take."
    )

    @field_validator("refuse_notes")
    @classmethod
    def _names_codes(cls, value: str) -> str:
        parse_codes(value)
        return value
