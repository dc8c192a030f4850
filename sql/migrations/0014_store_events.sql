-- Plan the statements of a flush once a connection, for any batch. Left to itself PostgreSQL plans the first five on each
-- connection anew, with the batch as a constant in every plan, which doubles the CPU that the whole flush takes.
-- Whoever replaces the function has to say so again.
alter function store_events(jsonb) set plan_cache_mode = force_generic_plan;
