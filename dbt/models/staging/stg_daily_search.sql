-- A query that was asked less than three times in a day may be one person's: those are one row together.
select
    day,
    case when asked < 3 then '(rare)' else query end as query,
    asked, without_results, opened, place_sum
from {{ source('facts', 'daily_search') }}
