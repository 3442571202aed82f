select
    facts.day,
    facts.movie_id,
    coalesce(titles.title, facts.movie_id) as title,
    facts.attempts,
    facts.plays,
    facts.viewers,
    facts.completions,
    facts.watch_hours
from {{ ref('stg_daily_title') }} as facts
left join {{ ref('stg_title') }} as titles using (movie_id)
