-- A query that fewer than three profiles asked in a day may tell who asked it: those are one row together.
select
    day,
    case when profiles < 3 then '(rare)' else query end as query,
    asked, without_results, opened, place_sum
from {{ source('facts', 'daily_search') }}
