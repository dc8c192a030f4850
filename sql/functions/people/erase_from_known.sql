-- Erase a person from the texts that say what events were sent with and where visitors came from. mentions: the person's
-- spellings as patterns of `like`. The caller has locked the site. Returns the changed rows by table.
create or replace function erase_from_known(site varchar, traces person_traces, mentions text[], out erased jsonb)
language plpgsql
as $$
declare
    step bigint;
begin
    update agents a
    set
        country = text_without_person(a.country, traces),
        device = text_without_person(a.device, traces),
        browser = text_without_person(a.browser, traces),
        os = text_without_person(a.os, traces),
        language = text_without_person(a.language, traces)
    where a.site_id = site and (a.country || ' ' || a.device || ' ' || a.browser || ' ' || a.os || ' ' || a.language)
        like any (mentions);
    get diagnostics step = row_count;
    erased := jsonb_build_object('agents', step);
    update origins o
    set
        source = text_without_person(o.source, traces),
        medium = text_without_person(o.medium, traces),
        campaign = text_without_person(o.campaign, traces),
        term = text_without_person(o.term, traces),
        content = text_without_person(o.content, traces),
        referrer = text_without_person(o.referrer, traces),
        channel = text_without_person(o.channel, traces)
    where o.site_id = site and (
        o.source || ' ' || o.medium || ' ' || o.campaign || ' ' || o.term || ' ' || o.content || ' ' || o.referrer || ' '
            || o.channel
    ) like any (mentions);
    get diagnostics step = row_count;
    erased := erased || jsonb_build_object('origins', step);
end
$$;
