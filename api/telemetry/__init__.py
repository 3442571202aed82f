"""What players tell of their playback sessions, by a signed URL without a login: batches of events, CMCD version 2 reports."""
