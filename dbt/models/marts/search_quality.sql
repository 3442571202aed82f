select
    day,
    query,
    sum(asked)::bigint as asked,
    sum(without_results)::bigint as without_results,
    sum(opened)::bigint as opened,
    {{ ratio('sum(place_sum)', 'sum(opened)') }} as mean_place
from {{ ref('stg_daily_search') }}
group by day, query
