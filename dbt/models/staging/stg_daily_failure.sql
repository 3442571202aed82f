select day, error_code, start_failures, playback_failures
from {{ source('facts', 'daily_failure') }}
