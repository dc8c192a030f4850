-- Is a property of this name about a person, in any spelling (`firstName`, `first_name`, `First-Name`, `$first_name`)?
-- The list: apps/people/README.md. A product's `name` is none: see properties_without_person.
create or replace function is_personal(name text) returns boolean
language plpgsql immutable
as $$
declare
    words text := lower(regexp_replace(name, '([a-z0-9])([A-Z])', '\1 \2', 'g') collate "C");
    joined text := regexp_replace(words, '[^a-z]', '', 'g');
begin
    return name in ('$set', '$set_once')
        or words ~ '(^|[^a-z])ip([^a-z]|$)'
        or joined ~ (
            '(e?mailaddress|email|phone|telephone|mobilenumber|faxnumber|firstname|lastname|fullname|surname|givenname'
            '|familyname|middlename|maidenname|nickname|username|displayname|screenname|customername|contactname'
            '|recipientname|billingname|shippingname|buyername|accountname|birthday|birthdate|dateofbirth|yearofbirth'
            '|address|street|streetname|housenumber|postalcode|postcode|zipcode|useragent|userid|customerid|visitorid'
            '|anonymousid|distinctid|deviceid|clientid|advertisingid|accountid|memberid|password|iban|cardnumber|taxid'
            '|vatid|passport|latitude|longitude|traits)(s|number|no|hash|hashed|sha|md|line)?$'
        )
        or joined in (
            'mail', 'tel', 'fax', 'mobile', 'name', 'dob', 'zip', 'lat', 'lng', 'lon', 'uid', 'idfa', 'idfv', 'gaid',
            'emailhash', 'emailsha'
        );
end
$$;
