-- One row: the end of the days that the facts know. Null on a platform without events.
select max(through) as through
from (
    select (max(day) + 1)::timestamp at time zone 'UTC' as through from {{ source('facts', 'daily_title') }}
    union all
    select (max(day) + 1)::timestamp at time zone 'UTC' from {{ source('facts', 'daily_quality') }}
    union all
    select (max(day) + 1)::timestamp at time zone 'UTC' from {{ source('facts', 'daily_search') }}
) as known
