select day, error_code, start_failures, playback_failures
from {{ ref('stg_daily_failure') }}
