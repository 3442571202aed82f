select
    day, cut, value, attempts, plays, exits_before_start, start_failures, playback_failures,
    startup_p50_seconds, startup_p95_seconds, rebuffer_ratio, mean_kbps,
    watch_seconds, stall_seconds
from {{ source('facts', 'daily_quality') }}
