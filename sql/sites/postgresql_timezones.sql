-- Which timezones does PostgreSQL know by their IANA names? Beside these it lists files of the system that are no names.
select name
from pg_timezone_names
where name !~ '^(posix|right)/' and name not in ('localtime', 'posixrules', 'Factory')
order by name
