-- Catch from now on what an erased person sent before that.
-- person: the hash; site_id, erasure_id, pseudonym, erased_at, ends_at: see the table erased_people.
insert into erased_people (person, site_id, erasure_id, pseudonym, erased_at, ends_at)
values (:'person', :'site_id', :'erasure_id', :'pseudonym', :'erased_at', :'ends_at')
on conflict (person) do update set
    erasure_id = excluded.erasure_id,
    pseudonym = excluded.pseudonym,
    erased_at = excluded.erased_at,
    ends_at = excluded.ends_at
