"""Everything that works on picture, sound and text: judging an uploaded film, planning, encoding, packaging, checking.

No module here imports a store, a queue or a framework. Functions take paths and typed documents and return paths and typed
documents, so tests and the chain's assets call them in the same way. `programs` finds and runs ffmpeg, ffprobe and Shaka
Packager. The order of work: `source` (judge the upload), `encode` (plan, chunks, join, score), `sound`, `text`, `pictures`,
`package` (segments, manifests, checks). `ladder` draws the result for the asset's page.
"""
