select day, date_trunc('week', day)::date as week, profile_id, titles, watch_seconds
from {{ source('facts', 'daily_profile') }}
