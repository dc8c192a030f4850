-- Numbers below sites.users that nobody has: of visitors who became users that have a number of their own. The rest of
-- the numbers is how many people there are.
alter table sites add column vacant_numbers integer not null default 0;
update sites s
set vacant_numbers = s.users - n.people
from (select site_id, count(*) as people from users group by site_id) n
where n.site_id = s.site_id and s.users <> n.people;

-- They get other parameters: a clock, months that are gone, and the visitor.
drop function if exists move_user_months(varchar, varchar[], varchar[], moved_event[]);
drop function if exists set_timezone(varchar, text);
drop function if exists funnel_kind(text, text, text, jsonb, jsonb, boolean);
drop function if exists event_matches(text, text, text, jsonb, jsonb);
