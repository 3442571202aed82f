"""A title's text tracks: subtitles of any kind as WebVTT, and the names of languages."""
