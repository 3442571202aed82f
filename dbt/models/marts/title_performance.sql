-- `startup_p95_seconds` is the mean of the days' values, weighted by plays: a percentile of many days is not in the facts.
with known as (
    select (through at time zone 'UTC')::date as next_day from {{ ref('stg_through') }}
),
watched as (
    select
        movie_id,
        min(day) as first_day,
        max(day) as last_day,
        sum(plays)::bigint as plays,
        sum(viewers)::bigint as viewers,
        sum(completions)::bigint as completions,
        sum(watch_hours) as watch_hours,
        coalesce(sum(watch_hours) filter (where day >= next_day - 7), 0) as watch_hours_7d,
        coalesce(sum(watch_hours) filter (where day >= next_day - 14 and day < next_day - 7), 0) as watch_hours_previous_7d
    from {{ ref('stg_daily_title') }} cross join known
    group by movie_id
),
quality as (
    select
        value as movie_id,
        {{ ratio('sum(startup_p95_seconds * plays) filter (where startup_p95_seconds is not null)',
                 'sum(plays) filter (where startup_p95_seconds is not null)') }} as startup_p95_seconds,
        {{ ratio('sum(stall_seconds)', 'sum(stall_seconds + watch_seconds)') }} as rebuffer_ratio,
        sum(start_failures + playback_failures)::bigint as failures
    from {{ ref('stg_daily_quality') }}
    where cut = 'title'
    group by value
)
select
    watched.movie_id,
    coalesce(titles.title, watched.movie_id) as title,
    watched.first_day,
    watched.last_day,
    watched.plays,
    watched.viewers,
    watched.completions,
    {{ ratio('watched.completions', 'watched.plays') }} as completion_rate,
    watched.watch_hours,
    watched.watch_hours_7d,
    watched.watch_hours_previous_7d,
    quality.startup_p95_seconds,
    quality.rebuffer_ratio,
    coalesce(quality.failures, 0) as failures
from watched
left join quality using (movie_id)
left join {{ ref('stg_title') }} as titles using (movie_id)
