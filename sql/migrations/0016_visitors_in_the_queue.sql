-- The visitors of erased people of whom only events in the queue tell.

-- The pseudonym to erase once more, as one of these events told a visitor of theirs that was not known; else null.
alter type erased_events add attribute again text collate "C";

-- Only a function's body named it, and so the nodes of a Citus lacked it.
drop type first_session;
