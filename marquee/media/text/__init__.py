"""A title's text tracks: subtitles of any format as WebVTT, and the names of languages."""
