-- The hash by which a visitor of an erased person is recognized, as person_hash: not that of a user with the same id. No
-- id begins with its first byte.
create or replace function visitor_hash(key bytea, visitor_id text) returns bytea
language sql immutable strict parallel safe
return sha256(
    substr(key, 65, 64) || sha256(substr(key, 1, 64) || '\x00'::bytea || convert_to(visitor_id, 'UTF8'))
);
