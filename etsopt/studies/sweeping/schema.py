"""Tables of the record of a sweep, in SQLite."""

SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE scenarios (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, content TEXT NOT NULL, key TEXT NOT NULL
);
CREATE TABLE outcomes (
    number INTEGER PRIMARY KEY REFERENCES scenarios, status TEXT NOT NULL, termination TEXT NOT NULL,
    certified INTEGER NOT NULL, seconds REAL NOT NULL, message TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE labels (
    label INTEGER PRIMARY KEY, "table" TEXT NOT NULL, sector TEXT NOT NULL, province TEXT NOT NULL, year TEXT NOT NULL,
    id TEXT NOT NULL, quantity TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE ("table", sector, province, year, id, quantity, unit)
);
CREATE TABLE "values" (
    number INTEGER NOT NULL REFERENCES outcomes, label INTEGER NOT NULL REFERENCES labels, value REAL NOT NULL,
    PRIMARY KEY (number, label)
) WITHOUT ROWID;
PRAGMA user_version = 3;
"""

VERSION = 3
"""Version of the schema."""

STATEMENTS = {" ".join(one.split()) for one in SCHEMA.split(";") if "CREATE" in one}
"""What SQLite keeps of it, but for the spaces: nothing else is in a record."""
