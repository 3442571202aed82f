select
    day,
    cut,
    value,
    attempts,
    plays,
    {{ ratio('exits_before_start', 'attempts') }} as exits_before_start_rate,
    {{ ratio('start_failures', 'attempts') }} as start_failure_rate,
    {{ ratio('playback_failures', 'plays') }} as playback_failure_rate,
    startup_p50_seconds,
    startup_p95_seconds,
    rebuffer_ratio,
    mean_kbps,
    watch_seconds / 3600 as watch_hours
from {{ ref('stg_daily_quality') }}
