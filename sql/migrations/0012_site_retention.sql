-- A site may keep its events for a shorter time than the installation does (RETENTION_DAYS).

alter table site_settings add column retention_days integer; -- days after which its events expire; null: RETENTION_DAYS

-- What the site's own retention_days did. Its events before own_events_from were announced as expired at own_said_at, and
-- events_from is never earlier than that. Of its events before own_deleted_until none is left, and none is stored any
-- more, though their partition is still there for other sites; an announcement beyond it can be taken back.
alter table sites add column own_events_from timestamptz;
alter table sites add column own_said_at timestamptz;
alter table sites add column own_deleted_until timestamptz;
