"""The ingest chain: one partition for each title, one module for each stage.

    source -> analysis -> plan -> renditions -> streams -> subtitles -> quality -> images -> manifest -> prewarm -> title
       |         |                    |            |                       |                    |                   |  |
     refuses   trials             job queue,    audio in step       picture good enough  segments add up    one transaction
                                   workers       (blocking)             (blocking)          (blocking)                 |
                                                                                                            search_document

`marquee.documents.STAGES` has the same order. Each stage stores `titles/{movie_id}/v{version}/{stage}.json` in the ingest
bucket and reads the documents of earlier stages; nothing else passes between them. So each can be run again alone. `stage`
says which version a run works for and what a failure does, `progress` how much of the whole each stage is, `checks` what must
hold before a viewer can see a title. A title is playable when `title` has committed, not before.
"""
