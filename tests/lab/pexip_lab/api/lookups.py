"""Case-sensitive text look-ups: SQLite's LIKE ignores case, the real platform's database does not."""

from __future__ import annotations

from django.db.models import CharField, Lookup, TextField


class Sensitive(Lookup):
    """A text look-up made of SQLite's functions; `sql` is a template of ``(column)`` and ``(value)``."""

    sql: str

    def as_sql(self, compiler, connection):
        sides = {"(column)": self.process_lhs(compiler, connection), "(value)": self.process_rhs(compiler, connection)}
        sql, parameters = "", []
        for word in self.sql.split():
            part, values = sides.get(word, (word, []))
            sql += f"{part} "
            parameters += values
        return sql, parameters


class Contains(Sensitive):
    lookup_name = "contains"
    sql = "instr( (column) , (value) ) > 0"


class StartsWith(Sensitive):
    lookup_name = "startswith"
    sql = "substr( (column) , 1, length( (value) )) = (value)"


class EndsWith(Sensitive):
    lookup_name = "endswith"
    sql = "substr( (column) , max(length( (column) ) - length( (value) ) + 1, 1)) = (value)"


def register() -> None:
    """Replace Django's own for all text columns."""
    for field in (CharField, TextField):
        for lookup in (Contains, StartsWith, EndsWith):
            field.register_lookup(lookup)
