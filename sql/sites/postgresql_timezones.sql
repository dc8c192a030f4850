-- Which timezones does PostgreSQL know by their IANA names? The other entries are system files.
select name
from pg_timezone_names
where name !~ '^(posix|right)/' and name not in ('localtime', 'posixrules', 'Factory')
order by name
