"""A title as players get it: CMAF segments, HLS and DASH manifests, and the checks before publication."""
