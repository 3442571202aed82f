"""The ingest chain: one partition a title, one module a stage.

    source -> plan -> renditions -> streams -> subtitles -> manifest -> prewarm -> title -> search_document
       |                  |            |                       |                    |
     refused          job queue,    audio in step        segments add up,      one transaction
                       workers       (blocking)        picture good enough
                                                           (blocking)

Each stage leaves `titles/{movie_id}/v{version}/{stage}.json` in the ingest bucket and reads those before it; nothing else
passes between them. `stage` says which version a run is for and what its failure does, `progress` how much of the whole each
stage is, `checks` what must hold before a viewer can see a title. A title is playable when `title` has committed, not before.
"""
