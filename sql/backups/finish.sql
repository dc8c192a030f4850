-- Removes the mark of a restore: all of its messages are in the queue again.
comment on table migrations is null
