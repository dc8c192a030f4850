-- The hash by which an erased person is recognized: HMAC-SHA-256 of the id (RFC 2104). key: sites.person_key, the
-- inner and the outer block.
create or replace function person_hash(key bytea, user_id text) returns bytea
language sql immutable strict parallel safe
return sha256(substr(key, 65, 64) || sha256(substr(key, 1, 64) || convert_to(user_id, 'UTF8')));
