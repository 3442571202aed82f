select movie_id, version, core_seconds, source_bytes, published_bytes
from {{ source('catalogue', 'version_cost') }}
