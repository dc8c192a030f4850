-- A person's sessions, the oldest first.
-- site_id: the site; user_id: the person.
select
    s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views, s.carts, s.checkouts, s.is_new, a.country, a.device,
    a.browser, a.os, a.language, o.source, o.medium, o.campaign, o.term, o.content, o.referrer, o.channel
from sessions s
left join agents a on a.site_id = :'site_id' and a.number = s.agent_number
left join origins o on o.site_id = :'site_id' and o.number = s.origin_number
where s.site_id = :'site_id' and s.user_id = :'user_id'
order by s.began, s.user_id
