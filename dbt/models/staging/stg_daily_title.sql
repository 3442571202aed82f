select day, movie_id, attempts, plays, viewers, completions, watch_seconds / 3600 as watch_hours
from {{ source('facts', 'daily_title') }}
