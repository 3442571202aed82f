-- Every attempt has one outcome at most: it played, it failed before the first frame, or the viewer left before it.
select day, cut, value
from {{ ref('quality_of_experience_daily') }}
where plays > attempts
   or coalesce(exits_before_start_rate, 0) + coalesce(start_failure_rate, 0) > 1 + 1e-9
