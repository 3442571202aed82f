select movie_id, title, year, genres, state, active_version, duration_seconds, published_at
from {{ source('catalogue', 'title') }}
