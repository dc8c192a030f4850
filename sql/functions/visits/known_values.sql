-- The values of a dimension of visits by the numbers of a site's agents or origins; 0 is of visits of which nothing is
-- known. None for a dimension that is of neither.
create or replace function known_values(site varchar, dimension text)
returns table (number bigint, value text)
language plpgsql stable
as $$
begin
    return query
    select 0::bigint, case dimension when 'channel' then 'Direct' else '' end
    union all
    select
        a.number,
        case dimension
            when 'country' then a.country
            when 'device' then a.device
            when 'browser' then a.browser
            when 'os' then a.os
            else a.language
        end
    from agents a
    where a.site_id = site and dimension = any ('{country,device,browser,os,language}')
    union all
    select
        o.number,
        case dimension
            when 'source' then o.source
            when 'medium' then o.medium
            when 'campaign' then o.campaign
            when 'term' then o.term
            when 'content' then o.content
            when 'referrer' then o.referrer
            else o.channel
        end
    from origins o
    where o.site_id = site and dimension = any ('{source,medium,campaign,term,content,referrer,channel}');
end
$$;
