-- A profile's first day: in its history, which is older than the events, or in the events.
select profile_id, min(day) as first_day
from (
    select profile_id, (first_watched_at at time zone 'UTC')::date as day
    from {{ source('history', 'watched_title') }}
    where forgotten_at is null or last_watched_at > forgotten_at
    union all
    select profile_id, day from {{ source('facts', 'daily_profile') }}
) as days
group by profile_id
