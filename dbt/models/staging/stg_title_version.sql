select movie_id, version, state, updated_at
from {{ source('catalogue', 'title_version') }}
