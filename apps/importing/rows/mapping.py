"""The mapping of columns to fields of an event, as the options give it, checked against each file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from apps.importing.files.aggregates import sums_in
from apps.importing.files.records import Unusable
from apps.importing.rows.decimals import Decimal
from apps.importing.rows.known import known_columns
from apps.importing.rows.timestamps import ASSUMED_UTC, Unit
from apps.origins.origins import UTM

FIELDS = ("event_type", "path", "user_id", "visitor_id", "timestamp", "event_id", "properties")
#: Fields that `--set` can set.
CONSTANTS = ("event_type", "path", "user_id")
#: The prefix of a property that `--set` sets.
PROPERTY = "properties."
#: Columns that become properties without an option, by their exact names, if a file has one for each: of sales, and of
#: where a visitor came from.
OF_SALES = ("order_id", "currency", "quantity")
OF_ORIGINS = ("referrer", *UTM)
AMOUNT_COLUMNS = ("revenue", "total", "amount")
#: The properties that hold the amount of a sale. Where one is given, no column is taken for it.
AMOUNT_PROPERTIES = ("revenue", "total", "value")
REQUIRED = ("event_type", "path", "timestamp")
#: Columns that are usually the visitor, where there is no column visitor_id.
VISITOR_COLUMNS = ("anonymous_id", "client_id", "visitor", "device_id")


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """The options. A field in neither `columns` nor `constants` comes from the column with its own name."""

    columns: dict[str, str] = field(default_factory=dict)  # field -> column; "": no column
    constants: dict[str, str] = field(default_factory=dict)  # field -> value
    properties: dict[str, str] = field(default_factory=dict)  # property -> column; "": no column
    constant_properties: dict[str, str] = field(default_factory=dict)  # property -> value
    types: dict[str, str] = field(default_factory=dict)  # event type in the file -> event type
    zone: tzinfo = ASSUMED_UTC
    unit: Unit = "ms"
    time_format: str | None = None  # of datetime.strptime
    decimal: Decimal | None = None  # the decimal separator of amounts; None: they are left as they are

    def column(self, name: str) -> str | None:
        """The column of the field `name`; for an optional field, files may lack it."""
        return None if name in self.constants else self.columns.get(name, name) or None

    def automatic(self, columns: Sequence[str]) -> dict[str, str]:
        """The properties that come from columns by their names, and those columns."""
        given = self.properties.keys() | self.constant_properties.keys()
        used = {*map(self.column, FIELDS), *self.properties.values()}
        found = {
            name: name
            for name in (*OF_SALES, *OF_ORIGINS)
            if name not in given and name not in used and columns.count(name) == 1
        }
        amounts = [name for name in AMOUNT_COLUMNS if name in columns]
        if not given & {*AMOUNT_PROPERTIES} and len(amounts) == columns.count(amounts[0] if amounts else "") == 1:
            (column,) = amounts
            if column not in used:
                found["total" if column == "total" else "revenue"] = column
        return found

    def known(self, columns: Sequence[str]) -> dict[str, str]:
        """The columns of what a row knows of the visit, by members."""
        taken = {*map(self.column, FIELDS), *self.properties.values()}
        return known_columns(columns, self.columns, taken)

    def visitor_columns(self) -> tuple[str, ...]:
        """Columns that may stand in for visitor_id: those that the options use for nothing else."""
        if "visitor_id" in self.columns:
            return ()
        taken = {*self.columns.values(), *self.properties.values()}
        return tuple(name for name in VISITOR_COLUMNS if name not in taken)

    def check(self, file: str, columns: Sequence[str]) -> None:
        """Raise Unusable if a file with these columns cannot be mapped."""
        by_person = any(self.column(name) in columns for name in ("user_id", "visitor_id"))
        if sums := sums_in(columns, by_person=by_person):
            raise Unusable(
                f"{file} holds sums, not events: {sums}. A row of it stands for many visits and would count as one; "
                "what can be imported has a row for each event"
            )
        if faults := list(self._faults(columns)):
            there = ", ".join(columns)
            raise Unusable("\n".join([f"{file} cannot be imported:", *faults, f"  its columns are: {there}"]))

    def _faults(self, columns: Sequence[str]) -> Iterator[str]:
        for name, column in self.columns.items():
            if column and column not in columns:
                yield f"  it has no column {column!r} (--column {name}={column})"
        for name, column in self.properties.items():
            if column and column not in columns:
                yield f"  it has no column {column!r} (--property {column if name == column else f'{name}={column}'})"
        for name in REQUIRED:
            if not (name in self.constants or self.columns.get(name, name in columns)):
                constant = f", or --set {name}=VALUE sets it for all rows" if name in CONSTANTS else ""
                yield f"  the {name} is missing: --column {name}=COLUMN names its column{constant}"
        used = {*map(self.column, FIELDS), *self.properties.values()}
        for twice in sorted({column for column in columns if column in used and columns.count(column) > 1}):
            yield f"  it has several columns {twice!r}"
