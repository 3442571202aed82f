-- A week cannot keep more profiles than its cohort has, and the first week keeps all that came in it.
select cohort_week, weeks_since, profiles, retained
from {{ ref('retention_weekly') }}
where retained > profiles or weeks_since < 0
