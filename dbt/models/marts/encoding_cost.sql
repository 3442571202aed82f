select
    cost.movie_id,
    titles.title,
    cost.version,
    cost.core_seconds / 3600 as core_hours,
    cost.source_bytes,
    cost.published_bytes
from {{ ref('stg_version_cost') }} as cost
join {{ ref('stg_title_version') }} as versions using (movie_id, version)
join {{ ref('stg_title') }} as titles using (movie_id)
-- Without its documents a version is recorded with 0 bytes: it cost something that nobody knows.
where cost.published_bytes > 0
