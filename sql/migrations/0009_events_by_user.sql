-- A user's events in order, with all that sessions and journeys need, so that they need not read the table: the index on
-- (site_id, user_id) becomes this one. With every text as long as it may be, an entry has 2,696 of the 2,704 bytes that
-- PostgreSQL allows: nothing can be added.
create index events_site_user_time on events (site_id, user_id, event_time, path) include (event_type);
drop index events_site_user;
